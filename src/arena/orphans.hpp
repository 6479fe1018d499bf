// Arenas whose process is gone. They stay for as long as an inbox has an event there that is not
// received yet; then whoever reaps next unlinks them.
#pragma once

#include <vector>

#include "src/inbox/ring.hpp"
#include "src/segment/companion.hpp"
#include "src/segment/segment.hpp"

namespace swarmbus::core {

// Those whose owner has left or was reaped.
std::vector<ArenaName> list_orphaned_arenas(Segment& segment);

// Takes off the list those that an inbox has unread or held events in.
void drop_what_is_unread(std::vector<ArenaName>& unread, const Ring& ring);

// Unlinks those that nobody has anything to read in any more. Under the control lock.
void remove_read_orphans(Segment& segment);

}  // namespace swarmbus::core
