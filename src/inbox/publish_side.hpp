// The publisher's half of the inbox protocol: claim a position, commit it, settle the claim.
//
// tests/models/inbox.pml checks these steps; the order of every load and store matters.
#pragma once

#include <cstdint>

#include "src/inbox/ring.hpp"
#include "src/overflow.hpp"

namespace swarmbus::core {

// Whether the process of a writer is proven dead. Asked about the writer of a claim after the
// claim was read, and never remembered: the id may have a new owner by the next time.
class DeathEvidence {
public:
    virtual bool proven_dead(std::uint32_t writer) = 0;

protected:
    ~DeathEvidence() = default;
};

// What one writer keeps about an inbox it publishes to.
struct Target {
    Ring ring;
    Gate gate;  // as it was when the rest was read; ACTIVE or nothing is valid
    Overflow policy = Overflow::drop_oldest;
    Head head;          // cached; read again only when the inbox seems full or held
    Holding holding;    // read after head, cached with it
    Position next = 0;  // one past our last claim: where to prefetch
    // block: where head stood when a wait of this length was in vain. No second one as long, or shorter,
    // until it moves.
    Position refused_at = 0;
    std::uint64_t refused_after_ns = 0;
};

enum class ClaimResult {
    claimed,  // the slot is the caller's to write
    full,     // the policy (or an unfinished oldest event) leaves no room now
    no_slot,  // once around, every slot set aside or held
};

struct Claimed {
    ClaimResult result;
    Position at = 0;
};

// Claims the next free position, whatever is in the way; evicts in a drop_oldest inbox. Never waits.
[[gnu::noinline]] Claimed claim_past_obstacles(Target& target, std::uint64_t writer, DeathEvidence& evidence) noexcept;

// The same; first as if nothing was in the way.
[[gnu::always_inline]] inline Claimed claim(Target& target, std::uint64_t writer, DeathEvidence& evidence) noexcept {
    const Ring& ring = target.ring;
    const Position p = words::load_hint(*ring.words);
    std::uint64_t& word = ring.claim(p);
    const Claim seen = words::load_claim(word);
    const bool free = seen.lap() == ring.lap_before(p) && seen.mark() != Mark::revoked;
    const bool passed = distance(target.head.at(), position(p - ring.capacity)) > 0 && !target.holding.covers(p, ring.capacity);
    if (!free || !passed) [[unlikely]]
        return claim_past_obstacles(target, writer, evidence);
    const Claim mine = Claim::of(ring.lap(p), writer, Mark::owned);
    if (!words::replace_claim(word, seen, mine)) [[unlikely]]
        return claim_past_obstacles(target, writer, evidence);
    words::store_hint(*ring.words, position(p + 1));
    return {ClaimResult::claimed, p};
}

// For a publisher that needs a drop_oldest inbox to hold less, not a place there: its oldest event goes.
// False: nothing can be evicted now.
bool evict(Target& target, DeathEvidence& evidence) noexcept;

// Makes the written slot visible. The caller fences before settle() and before it looks at the
// wake word; one fence serves the commits to several inboxes.
inline void commit(const Ring& ring, Position at) noexcept { words::store_state(ring.state(at), State::of(ring.lap(at), Status::ready)); }

// The look at the claim behind the fence. False: the reader had taken the position away, the slot
// was given back, and the event must be published anew.
[[gnu::cold]] bool settle_suspected(const Ring& ring, Position at, std::uint64_t writer) noexcept;

inline bool settle(const Ring& ring, Position at, std::uint64_t writer) noexcept {
    const Claim claim = words::load_claim_after_fence(ring.claim(at));
    if (claim.mark() == Mark::owned) [[likely]]
        return true;
    return settle_suspected(ring, at, writer);
}

}  // namespace swarmbus::core
