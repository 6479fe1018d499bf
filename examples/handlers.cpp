// Several subscriptions with a handler each. They share one inbox: an event that two of them match
// is received once and given to both.
#include <iostream>
#include <swarmbus/swarmbus.hpp>

namespace {

void print(const char* label, swarmbus::Bus& bus, const swarmbus::Event& event) {
    std::cout << label << event.type() << ' ' << bus.to_json(event) << '\n';
}

}  // namespace

int main(int argc, char** argv) {
    try {
        swarmbus::Bus bus(argc > 1 ? argv[1] : "demo");

        // `*` is one or more characters, dots included.
        bus.subscribe("task.*", [&bus](const swarmbus::Event& event) { print("task:     ", bus, event); });

        // `+` is exactly one segment: agent.status.changed, but not agent.created.
        bus.subscribe("agent.+.changed", [&bus](const swarmbus::Event& event) { print("agent:    ", bus, event); });

        // A handler may publish. Several patterns are separated by spaces.
        bus.subscribe("task.failed system.error", [&bus](const swarmbus::Event& event) {
            print("trouble:  ", bus, event);
            bus.publish("system.shutdown", "too much trouble");
        });

        // And it may end run(). A type without a schema carries any bytes.
        bus.subscribe("system.shutdown", [&bus](const swarmbus::Event& event) {
            std::cout << "the end:  " << event.text() << '\n';
            bus.stop();
        });

        // Other processes would publish these. Until run() takes them they wait in the inbox.
        bus.publish_json("task.created", R"({"task_id":"t-1","title":"write the tests"})");
        bus.publish_json("agent.created", R"({"agent_id":"nobody here asked for this one"})");
        bus.publish_json("agent.status.changed", R"({"previous_status":"idle","new_status":"busy"})");
        bus.publish_json("task.failed", R"({"task_id":"t-1","error":"no such file"})");

        bus.run();
    } catch (const swarmbus::Error& error) {
        std::cerr << "handlers: " << error.what() << '\n';
        return 1;
    }
}
