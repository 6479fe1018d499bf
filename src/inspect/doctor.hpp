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
    bool repairable = false;  // by joining once
    bool repaired = false;
};

// Throws as opening does; SWB_ERR_NO_BUS only when nothing at all was left behind by a bus of that name.
std::vector<Finding> examine(const std::string& name);

struct Repair {
    std::vector<Finding> findings;  // of before; those that are gone are marked repaired
    std::optional<Error> error;     // why the bus could not be joined
};

// Mends what can be mended. Throws as examine() does.
Repair repair(const std::string& name);

}  // namespace swarmbus::core
