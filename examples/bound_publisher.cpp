// A publisher bound to one type skips the look-up by name: for those who publish often. A message
// carries more than a payload, and its delivery says who got it.
#include <iostream>
#include <swarmbus/events.hpp>

int main(int argc, char** argv) {
    try {
        swarmbus::Options options;
        options.source = "agent-7";  // who publishes; the default is "program-pid"
        swarmbus::Bus bus(argc > 1 ? argv[1] : "demo", options);
        swarmbus::TypedPublisher<swarmbus::events::AgentStatusChanged> status(bus);

        // Two subscribers of our own. In real life they are other processes.
        swarmbus::Bus dashboard = bus.separate({});
        swarmbus::Bus logger = bus.separate({});
        dashboard.subscribe("agent.*");
        logger.subscribe("*");

        swarmbus::events::AgentStatusChangedT changed;
        changed.agent_id = "agent-7";
        changed.previous_status = "idle";
        changed.new_status = "busy";
        swarmbus::Message message;
        message.subject = "agent-7";  // what the event is about
        const swarmbus::Delivery delivery = status.publish(changed, message);
        std::cout << "event " << delivery.sequence << " is in " << delivery.delivered << " inboxes, " << delivery.dropped
                  << " had no room\n";

        const auto event = dashboard.next();
        std::cout << event->type() << " about " << event->subject() << " from " << event->source() << ": " << bus.to_json(*event) << '\n';

        // One that carries bytes of its own, without the extras.
        swarmbus::Publisher reading = bus.publisher("agent.reading");
        reading.publish("21.5");
        std::cout << "event " << dashboard.next()->sequence() << " has a payload only\n";
    } catch (const swarmbus::Error& error) {
        std::cerr << "bound_publisher: " << error.what() << '\n';
        return 1;
    }
}
