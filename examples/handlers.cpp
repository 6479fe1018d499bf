// Several subscriptions with a handler each. They share one inbox: an event that two of them match
// is received once and given to both.
#include <iostream>
#include <swarmbus/swarmbus.hpp>

int main(int argc, char** argv) {
    try {
        swarmbus::Bus bus(argc > 1 ? argv[1] : "demo");

        // `*` is one or more characters, dots included.
        bus.subscribe("task.*",
                      [](const swarmbus::Event& event) { std::cout << "task:     " << event.type() << ' ' << event.text() << '\n'; });

        // `+` is exactly one segment: agent.status.changed, but not agent.created.
        bus.subscribe("agent.+.changed",
                      [](const swarmbus::Event& event) { std::cout << "agent:    " << event.type() << ' ' << event.text() << '\n'; });

        // A handler may publish. Several patterns are separated by spaces.
        bus.subscribe("task.failed system.error", [&bus](const swarmbus::Event& event) {
            std::cout << "trouble:  " << event.type() << ' ' << event.text() << '\n';
            bus.publish("system.shutdown", "too much trouble");
        });

        // And it may end run().
        bus.subscribe("system.shutdown", [&bus](const swarmbus::Event& event) {
            std::cout << "the end:  " << event.text() << '\n';
            bus.stop();
        });

        // Other processes would publish these. Until run() takes them they wait in the inbox.
        bus.publish("task.created", "write the tests");
        bus.publish("agent.created", "nobody here asked for this one");
        bus.publish("agent.status.changed", "idle -> busy");
        bus.publish("task.failed", "no such file");

        bus.run();
    } catch (const swarmbus::Error& error) {
        std::cerr << "handlers: " << error.what() << '\n';
        return 1;
    }
}
