// The table of inboxes: taking one, opening it, freeing it. All under the control lock.
//
// A freed inbox may still be written to by publishers that read its bit before it was cleared. Each
// writer names the inboxes it is in; whoever wants to take the index (or give its memory back)
// makes the FREED mark visible to all publishers with a membarrier and refuses while a writer names
// it. A stopped publisher thereby keeps the inboxes it is in, and no others.
#pragma once

#include <cstdint>
#include <optional>

#include "src/inbox/ring.hpp"
#include "src/overflow.hpp"
#include "src/segment/segment.hpp"

namespace swarmbus::core {

struct InboxOwner {
    std::uint32_t participant;
    std::uint32_t participant_generation;
};

// An index with a block of zeros cut for it, marked TAKING: nobody publishes to it yet. Throws
// SWB_ERR_SUBSCRIBERS_FULL or SWB_ERR_NO_SPACE, and then nothing has changed.
std::uint32_t take_inbox(Segment& segment, InboxOwner owner, std::uint32_t capacity, Overflow policy);

// TAKING -> ACTIVE, under the next generation.
void activate_inbox(Segment& segment, std::uint32_t inbox) noexcept;

// ACTIVE -> FREED, publishers that wait for room are told, and its memory is given back if nobody
// is inside it any more. Otherwise a later take_inbox() or free_inbox() does that.
void free_inbox(Segment& segment, std::uint32_t inbox) noexcept;

// The two halves of free_inbox(), for whoever ends several. `end`: FREED, or DEAD when the owner may
// still look at what it has received.
void end_inbox(Segment& segment, std::uint32_t inbox, swb_l_gate_status end) noexcept;
void give_back_quiescent(Segment& segment) noexcept;

// The ring of an inbox that has a block; nothing if it has none or its entry is damaged. Throws
// SWB_ERR_SYSTEM when the kernel refuses to open it. Also without the lock, by whoever keeps the
// block from being given back.
std::optional<Ring> ring_of(Segment& segment, std::uint32_t inbox);

// After a holder of the control lock died: what was being taken becomes free.
void finish_inbox_table(Segment& segment) noexcept;

}  // namespace swarmbus::core
