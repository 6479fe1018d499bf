// What a dead writer left unfinished in an inbox. tests/models/reap.pml checks these steps.
#pragma once

#include <cstdint>

#include "src/inbox/ring.hpp"

namespace swarmbus::core {

// Settles every claim of a writer that can't write any more, as it would have done itself: unfinished
// positions become SKIP, what its reader had taken away is given back. Under the control lock, before
// the writer's id is released. The inbox's reader, evictors and other publishers go on meanwhile.
void settle_dead(const Ring& ring, std::uint32_t writer) noexcept;

// How many of its claims are unfinished, without changing any. For reports.
std::uint32_t count_unsettled(const Ring& ring, std::uint32_t writer) noexcept;

}  // namespace swarmbus::core
