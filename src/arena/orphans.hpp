// Arenas whose process is gone. They stay for as long as an inbox has an event there that is not
// received yet; then whoever reaps next unlinks them.
#pragma once

#include <vector>

#include "src/segment/companion.hpp"
#include "src/segment/segment.hpp"

namespace swarmbus::core {

// Those whose owner has left or was reaped.
std::vector<ArenaName> list_orphaned_arenas(Segment& segment);

// Unlinks those that nobody has anything to read in any more. Under the control lock.
void remove_read_orphans(Segment& segment);

}  // namespace swarmbus::core
