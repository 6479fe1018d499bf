// What swb_look() does not count: the entries and the memory of a bus, read from its file.
#pragma once

#include <cstdint>
#include <string>

namespace swarmbus::faults {

struct Expected {
    std::uint32_t participants = 0, inboxes = 0, writers = 0;
};

// The first thing in the tables that is not theirs: an entry, a name in a writer's line, a claim that
// was taken away or is doubted, memory. Empty if nothing.
std::string wrong_in_the_tables(const std::string& bus, const Expected& expected);

// From now on the next participant that wakes from an idle second looks after the dead, whoever looked last.
void let_anybody_probe(const std::string& bus);
// Nobody for the next seconds: whether it is time for that must not decide what an operation does.
void let_nobody_probe(const std::string& bus);

}  // namespace swarmbus::faults
