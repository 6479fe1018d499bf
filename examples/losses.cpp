// What happens when a subscriber is too slow. An inbox has a fixed number of slots, and its owner
// chooses what gives way when they are full. Whatever is lost is told, with the exact number.
#include <iostream>
#include <string>
#include <swarmbus/swarmbus.hpp>

using swarmbus::LossCause;
using swarmbus::Overflow;
using namespace std::chrono_literals;

namespace {

void overrun(const std::string& name, Overflow overflow) {
    swarmbus::Options options;
    options.capacity_slots = 16;  // the smallest inbox; the default has 1,024 slots
    options.overflow = overflow;
    swarmbus::Bus bus(name, options);
    bus.subscribe("sensor.reading");

    for (int i = 1; i <= 100; ++i) bus.publish("sensor.reading", std::to_string(i));

    // Each event says how many were lost before it. An event that is false as a bool has only
    // that to say: events were lost, and none has followed yet.
    while (const auto event = bus.next(0ms)) {
        if (event->lost() > 0) {
            std::cout << "  lost " << event->lost() << " (" << event->lost(LossCause::evicted) << " evicted, "
                      << event->lost(LossCause::full) << " found the inbox full)\n";
        }
        if (*event) std::cout << "  got " << event->text() << '\n';
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string name = argc > 1 ? argv[1] : "demo";
    try {
        std::cout << "drop_oldest keeps the newest events (the default):\n";
        overrun(name, Overflow::drop_oldest);
        std::cout << "drop_newest keeps the oldest ones:\n";
        overrun(name, Overflow::drop_newest);
        // Overflow::block lets publishers wait for room, up to their block_timeout.
    } catch (const swarmbus::Error& error) {
        std::cerr << "losses: " << error.what() << '\n';
        return 1;
    }
}
