// A publisher bound to one type skips the look-up by name: for those who publish often. A message
// carries more than a payload, and its delivery says who got it.
#include <iostream>
#include <swarmbus/swarmbus.hpp>

int main(int argc, char** argv) {
    try {
        swarmbus::Options options;
        options.source = "agent-7";  // who publishes; the default is "program-pid"
        swarmbus::Bus bus(argc > 1 ? argv[1] : "demo", options);
        swarmbus::Publisher status = bus.publisher("agent.status.changed");

        // Two subscribers of our own. In real life they are other processes.
        swarmbus::Bus dashboard = bus.separate({});
        swarmbus::Bus logger = bus.separate({});
        dashboard.subscribe("agent.*");
        logger.subscribe("*");

        const std::string_view json = R"({"agent_id":"agent-7","previous_status":"idle","new_status":"busy"})";
        swarmbus::Message message;
        message.payload = swarmbus::as_payload(json);
        message.subject = "agent-7";  // what the event is about
        message.encoding = swarmbus::Encoding::json;
        const swarmbus::Delivery delivery = status.publish(message);
        std::cout << "event " << delivery.sequence << " is in " << delivery.delivered << " inboxes, " << delivery.dropped
                  << " had no room\n";

        const auto event = dashboard.next();
        std::cout << event->type() << " about " << event->subject() << " from " << event->source() << ": " << event->text() << '\n';

        status.publish(json);  // without the extras
        std::cout << "event " << dashboard.next()->sequence() << " has a payload only\n";
    } catch (const swarmbus::Error& error) {
        std::cerr << "bound_publisher: " << error.what() << '\n';
        return 1;
    }
}
