// The words of an inbox: claims, states, head and holding, hint and drops.
#pragma once

#include "src/segment/layout.h"
#include "src/words/order.hpp"
#include "src/words/position.hpp"

namespace swarmbus::core::words {

// ---- claim: who may write a position; only publishers touch it in the common case ----

inline Claim load_claim(std::uint64_t& word) noexcept {
    // SYNC(claim-chain): acquire; pairs with the CAS in replace_claim(): who follows a claim sees
    // what was known when it was made.
    return {Shared64(word).load(std::memory_order_acquire)};
}

// The look at the claim behind the commit fence, and the reader's look before it suspects.
inline Claim load_claim_after_fence(std::uint64_t& word) noexcept {
    // SYNC(commit-doubt): load behind the full fence; pairs with mark_doubt().
    return {Shared64(word).load(kLoadAfterFence)};
}

inline bool replace_claim(std::uint64_t& word, Claim expected, Claim desired) noexcept {
    // SYNC(claim-chain): acq_rel; pairs with the acquire in load_claim().
    return Shared64(word).compare_exchange_strong(expected.raw, desired.raw, std::memory_order_acq_rel, std::memory_order_acquire);
}

// OWNED -> DOUBT, before the reader looks at the state once more.
inline bool mark_doubt(std::uint64_t& word, Claim expected, Claim doubt) noexcept {
    // SYNC(commit-doubt): seq_cst and a full fence; pairs with the fence between store_state() and
    // load_claim_after_fence(): either the writer sees the doubt or the reader sees the state.
    const bool marked =
        Shared64(word).compare_exchange_strong(expected.raw, doubt.raw, std::memory_order_seq_cst, std::memory_order_acquire);
    full_fence();
    return marked;
}

// ---- state: what the reader polls ----

inline State load_state(std::uint64_t& word) noexcept {
    // SYNC(event-visible): acquire; pairs with the release in store_state().
    // SYNC(asleep-commit): behind the reader's announcement and fence; pairs with store_state() and
    // the publisher's fence.
    return {Shared64(word).load(kLoadAfterFence)};
}

// Commit, or SKIP. The caller fences before it looks at the claim and at the wake word.
inline void store_state(std::uint64_t& word, State state) noexcept {
    // SYNC(event-visible): release; pairs with the acquire in load_state().
    Shared64(word).store(state.raw, kStoreBeforeFence);
}

// The reader, where a state was damaged. A commit that comes meanwhile stays.
inline void replace_state(std::uint64_t& word, State damaged, State mended) noexcept {
    Shared64(word).compare_exchange_strong(damaged.raw, mended.raw, std::memory_order_relaxed, std::memory_order_relaxed);
}

// A reaper, in place of the writer that died: from the value read before its claim. False: its last
// store, or another reaper's, came first.
inline bool skip_for_dead(std::uint64_t& word, State seen, State skip) noexcept {
    // SYNC(event-visible): release; pairs with the acquire in load_state().
    // SYNC(commit-doubt): the caller fences before it looks at the claim again, as the writer would.
    return Shared64(word).compare_exchange_strong(seen.raw, skip.raw, std::memory_order_seq_cst, std::memory_order_acquire);
}

// ---- head and holding: how far the reader is, and what it still looks at ----

inline Head load_head(swb_l_inbox& inbox) noexcept {
    // SYNC(slot-free): acquire; pairs with the releases in advance_head() and store_head(): what
    // the reader read is read before anybody writes there again. Read before holding.
    // SYNC(head-room): a waiter's last look, behind announce_wait().
    return {Shared64(inbox.head).load(kLoadAfterFence)};
}

inline Holding load_holding(swb_l_inbox& inbox) noexcept {
    // SYNC(slot-free): acquire; read after head, so that it covers what head has passed.
    return {Shared64(inbox.holding).load(std::memory_order_acquire)};
}

// The reader of a drop_oldest inbox, before it moves head over what it takes.
inline void store_holding(swb_l_inbox& inbox, Holding holding) noexcept {
    // SYNC(slot-free): release; gives the events held before back, and is visible before the CAS
    // in advance_head() is.
    Shared64(inbox.holding).store(holding.raw, std::memory_order_release);
}

// Reader and evictors of a drop_oldest inbox.
inline bool advance_head(swb_l_inbox& inbox, Head expected, Head desired) noexcept {
    // SYNC(slot-free): acq_rel; pairs with the acquire in load_head().
    return Shared64(inbox.head).compare_exchange_strong(expected.raw, desired.raw, std::memory_order_acq_rel, std::memory_order_acquire);
}

// The reader of a block or drop_newest inbox, whose head only the reader moves.
inline void store_head(swb_l_inbox& inbox, Head head) noexcept {
    // SYNC(slot-free): release; pairs with the acquire in load_head().
    // SYNC(head-room): the caller fences before take_waiters().
    Shared64(inbox.head).store(head.raw, kStoreBeforeFence);
}

// ---- hint ----

inline Position load_hint(swb_l_inbox& inbox) noexcept {
    return Shared64(inbox.hint).load(std::memory_order_relaxed);  // only a place to start looking
}

inline void store_hint(swb_l_inbox& inbox, Position p) noexcept { Shared64(inbox.hint).store(p, std::memory_order_relaxed); }

// ---- slow: whether publishers found no room since the reader last caught up, and whether that was told ----

inline constexpr std::uint32_t kSlowNoted = 1, kSlowTold = 2;

// A publisher, at every drop: a load of the line it writes anyway.
inline void note_slow(swb_l_inbox& inbox) noexcept {
    Shared32 slow(inbox.slow);
    if (slow.load(std::memory_order_relaxed) == 0) slow.store(kSlowNoted, std::memory_order_relaxed);
}
// True for the one who is to tell.
inline bool take_slow(swb_l_inbox& inbox) noexcept {
    std::uint32_t noted = kSlowNoted;
    return Shared32(inbox.slow).compare_exchange_strong(noted, kSlowTold, std::memory_order_relaxed, std::memory_order_relaxed);
}
// The reader, when nothing is left.
inline void note_caught_up(swb_l_inbox& inbox) noexcept {
    Shared32 slow(inbox.slow);
    if (slow.load(std::memory_order_relaxed) != 0) slow.store(0, std::memory_order_relaxed);
}

// ---- drops ----

inline void count_drop(std::uint64_t& cause_counter, swb_l_inbox& inbox) noexcept {
    Shared64(cause_counter).fetch_add(1, std::memory_order_relaxed);
    note_slow(inbox);
    // SYNC(drop-told): release; pairs with the acquire in load_dropped(): the cause is counted
    // before the sum that a slot carries to the reader.
    Shared64(inbox.dropped).fetch_add(1, std::memory_order_release);
}

// The multiple of 65,536 for the count in head, then the sum.
inline void count_eviction(swb_l_inbox& inbox) noexcept {
    Shared64(inbox.evictions).fetch_add(1, std::memory_order_relaxed);
    note_slow(inbox);
    // SYNC(drop-told): release; as in count_drop().
    Shared64(inbox.dropped).fetch_add(1, std::memory_order_release);
}

inline std::uint64_t load_dropped(swb_l_inbox& inbox) noexcept {
    // SYNC(drop-told): acquire; pairs with the releases in count_drop() and count_eviction().
    return Shared64(inbox.dropped).load(std::memory_order_acquire);
}

inline std::uint64_t load_counter(std::uint64_t& counter) noexcept {
    return Shared64(counter).load(std::memory_order_relaxed);  // ordered by load_dropped() or a state
}

// ---- gate: who may use the inbox ----

inline Gate load_gate(swb_l_inbox& inbox) noexcept {
    // SYNC(inbox-open): acquire; pairs with the release in store_gate(): ring, policy and words are
    // set before the inbox is ACTIVE.
    // SYNC(name-state): behind name_inbox(); pairs with store_gate(FREED) and the taker's membarrier.
    return {Shared64(inbox.gate).load(kLoadAfterFence)};
}

inline void store_gate(swb_l_inbox& inbox, Gate gate) noexcept {
    // SYNC(inbox-open): release; pairs with the acquire in load_gate().
    Shared64(inbox.gate).store(gate.raw, kStoreBeforeFence);
}

// Whoever proved that the owner is dead, without the control lock: only from ACTIVE of that generation.
inline bool close_gate_of_dead(swb_l_inbox& inbox, Gate active) noexcept {
    std::uint64_t expected = active.raw;
    // SYNC(inbox-open): release; as in store_gate().
    return Shared64(inbox.gate)
        .compare_exchange_strong(expected, active.with(SWB_GATE_DEAD).raw, std::memory_order_seq_cst, std::memory_order_acquire);
}

// Sets every word of an inbox nobody is inside of: an empty ring, its first free position being
// the capacity. Published by store_gate(ACTIVE).
inline void reset_inbox(swb_l_inbox& inbox, std::uint32_t capacity) noexcept {
    const auto set = [](std::uint64_t& word, std::uint64_t value) { Shared64(word).store(value, std::memory_order_relaxed); };
    set(inbox.hint, capacity);
    set(inbox.dropped, 0);
    set(inbox.dropped_full, 0);
    set(inbox.dropped_timeout, 0);
    set(inbox.dropped_self, 0);
    set(inbox.dropped_no_slot, 0);
    set(inbox.head, Head::of(capacity, 0).raw);
    set(inbox.holding, 0);
    set(inbox.evictions, 0);
    note_caught_up(inbox);
}

}  // namespace swarmbus::core::words
