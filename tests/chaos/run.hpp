// One chaos run: its processes, what disturbs them, and what is compared in the end.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace swarmbus::chaos {

struct Settings {
    std::chrono::seconds duration{600};
    std::uint64_t seed = std::random_device()();
    bool tap = false;
};

// Prints what was done and found. False: an event was lost silently, or something was left behind.
bool carry_out(const Settings& settings);

}  // namespace swarmbus::chaos
