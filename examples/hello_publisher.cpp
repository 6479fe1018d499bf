// Publishes one event. Start hello_subscriber first: events go to those who listen when they are sent.
#include <swarmbus/swarmbus.hpp>

int main(int argc, char** argv) {
    swarmbus::Bus bus(argc > 1 ? argv[1] : "demo");  // opens the bus of that name, or creates it
    bus.publish_json("agent.created", R"({"agent_id":"agent-7"})");
}
