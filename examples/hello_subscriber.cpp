// Prints every agent event on a bus, until Ctrl-C.
#include <iostream>
#include <swarmbus/swarmbus.hpp>

int main(int argc, char** argv) {
    swarmbus::Bus bus(argc > 1 ? argv[1] : "demo");
    bus.subscribe("agent.*");  // from here on nothing that matches is missed
    while (const auto event = bus.next()) {
        std::cout << event->type() << ' ' << bus.to_json(*event) << std::endl;
    }
}
