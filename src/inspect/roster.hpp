// Who is on a bus: its participants, alive or not, and what they are subscribed to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/inspect/tables.hpp"
#include "src/overflow.hpp"

namespace swarmbus::core {

struct RosterEntry {
    std::uint32_t index = 0;
    std::uint32_t generation = 0;
    std::uint32_t pid = 0;
    Condition condition = Condition::free;
    bool stopped = false;  // alive, but by a signal or a debugger it does not run
    std::uint32_t inboxes = 0, writers = 0;
    std::uint64_t joined_ns = 0;
    std::string name;
    std::string patterns;       // of all its inboxes, each once, separated by spaces
    std::uint64_t waiting = 0;  // events that it has not received
    Losses losses{};            // of its inboxes; what was damaged only it knows
};

// Every participant that has a place, as it seems at this moment.
std::vector<RosterEntry> read_roster(const BusTables& tables);

// The same with a second look at who does not seem to be alive: who has left by then is not in it. Throws as opening does.
std::vector<RosterEntry> look_at_roster(const std::string& name);

}  // namespace swarmbus::core
