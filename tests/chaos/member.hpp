// One process of a chaos run: it publishes, receives, leaves, comes back and forks, all the time.
#pragma once

#include <cstdint>
#include <string>

#include "tests/chaos/world.hpp"

namespace swarmbus::chaos {

// Returns when the run is over. Throws what it finds wrong with itself.
void live(World& world, std::uint32_t place, const std::string& bus, std::uint64_t seed);

}  // namespace swarmbus::chaos
