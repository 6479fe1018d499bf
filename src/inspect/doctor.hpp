// What is wrong with a bus: who is dead and has left something, who is stopped and holds something up,
// what lies about. Looks only; mending is joining the bus once, which reaps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/error.hpp"

namespace swarmbus::core {

struct Finding {
    std::string what;    // "dead participant"
    std::string who;     // "agent-7 (pid 123)", a path, …
    std::string detail;  // what it holds
    std::string advice;  // what to do
    std::uint32_t pid = 0;
    std::uint64_t generation = 0;  // of the place, the lease or the control word: tells it from another that looks alike
    bool other_bus = false;        // left by another bus: nothing is wrong with this one
    bool repaired = false;
};

struct Diagnosis {
    std::vector<Finding> findings;
    // Why the bus could not be looked at or joined. SWB_ERR_NO_BUS only if nobody uses a bus of that name that was removed.
    std::optional<Error> error;
};

// What is there at two looks.
Diagnosis examine(const std::string& name);

// Mends what can be mended. The findings of before, those that are gone marked repaired.
Diagnosis repair(const std::string& name);

}  // namespace swarmbus::core
