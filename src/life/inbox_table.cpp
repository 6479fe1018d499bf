#include "src/life/inbox_table.hpp"

#include <algorithm>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "src/clock/clock.hpp"
#include "src/error.hpp"
#include "src/life/membarrier.hpp"
#include "src/routing/routes.hpp"
#include "src/waking/futex.hpp"
#include "src/words/inbox_words.hpp"
#include "src/words/table_words.hpp"
#include "src/words/waking_words.hpp"

namespace swarmbus::core {
namespace {

std::uint32_t status_of(Segment& segment, std::uint32_t inbox) noexcept { return words::load_gate(segment.inbox(inbox)).status(); }

void set_status(Segment& segment, std::uint32_t inbox, std::uint32_t status) noexcept {
    swb_l_inbox& lines = segment.inbox(inbox);
    words::store_gate(lines, words::load_gate(lines).with(status));
}

struct Extent {
    std::uint64_t at = 0, end = 0;
    std::uint32_t capacity = 0;
};

// Where an entry says its block is; empty if it has none, or if no inbox can have one like that: the
// entry is damaged, and what lies there is somebody else's.
Extent block_of(Segment& segment, std::uint32_t inbox) noexcept {
    const swb_l_subscriber entry = segment.subscriber(inbox);  // a copy: what is checked is what is used
    const bool sound = valid_capacity(entry.capacity) && entry.block_bytes == block_bytes(entry.capacity, segment.plan().slot_bytes) &&
                       segment.holds_block(entry.block_at, entry.block_bytes);
    return sound ? Extent{entry.block_at, entry.block_at + entry.block_bytes, entry.capacity} : Extent{};
}

// Gives the block's memory back; the index is free for anyone.
void discard(Segment& segment, std::uint32_t inbox) noexcept {
    swb_l_subscriber& entry = segment.subscriber(inbox);
    const Extent block = block_of(segment, inbox);
    if (block.end != 0) segment.release_block(block.at, block.end - block.at);
    words::store_plain(entry.block_bytes, std::uint64_t{0});
    set_status(segment, inbox, SWB_GATE_FREE);
}

// Discards every FREED inbox that no writer is inside of. Throws std::bad_alloc, before it changes anything.
void discard_quiescent(Segment& segment) {
    const std::uint32_t count = segment.plan().max_subscribers;
    std::vector<bool> freed(count);
    bool any = false;
    for (std::uint32_t i = 0; i < count; ++i) {
        freed[i] = status_of(segment, i) == SWB_GATE_FREED;
        any = any || freed[i];
    }
    if (!any || !barrier_all_publishers()) return;
    const std::uint32_t end = words::end_of_writers(segment.header());
    for (std::uint32_t w = 1; w < end; ++w) {
        swb_l_writer& writer = segment.writer(w);
        if (words::load_lease(writer).free()) continue;  // whoever leases it now names an inbox behind the barrier: it finds it FREED
        for (std::uint32_t place = 0; place < SWB_NAMED_INBOXES; ++place) {
            const std::uint32_t named = words::named_inbox(writer, place);
            if (named != 0 && named <= count) freed[named - 1] = false;
        }
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        if (freed[i]) discard(segment, i);
    }
}

// First gap in the ring region that holds `bytes`. Which parts are taken follows from the entries.
std::optional<std::uint64_t> find_gap(Segment& segment, std::uint64_t bytes) {
    std::vector<Extent> taken;
    for (std::uint32_t i = 0; i < segment.plan().max_subscribers; ++i) {
        const Extent block = block_of(segment, i);
        if (block.end != 0) taken.push_back(block);
    }
    std::sort(taken.begin(), taken.end(), [](const Extent& a, const Extent& b) { return a.at < b.at; });
    std::uint64_t at = 0;
    for (const Extent& extent : taken) {
        if (extent.at >= at + bytes) break;
        at = std::max(at, extent.end);
    }
    if (bytes > segment.plan().ring_bytes || at > segment.plan().ring_bytes - bytes) return std::nullopt;
    return at;
}

}  // namespace

std::uint32_t take_inbox(Segment& segment, InboxOwner owner, std::uint32_t capacity, Overflow policy) {
    discard_quiescent(segment);
    const std::uint32_t count = segment.plan().max_subscribers;
    std::uint32_t inbox = 0;
    while (inbox < count && status_of(segment, inbox) != SWB_GATE_FREE) ++inbox;
    if (inbox == count) {
        throw Error(
            SWB_ERR_SUBSCRIBERS_FULL,
            "all " + std::to_string(count) + " inboxes of the bus are taken; close some, or create the bus with a larger max_subscribers");
    }
    const std::uint64_t bytes = block_bytes(capacity, segment.plan().slot_bytes);
    const auto at = find_gap(segment, bytes);
    if (!at) {
        throw Error(SWB_ERR_NO_SPACE, "the ring region of the bus (" + std::to_string(segment.plan().ring_bytes >> 20) +
                                          " MiB) has no gap of " + std::to_string(bytes >> 10) +
                                          " KiB left; use a smaller capacity, or create the bus with larger ring_bytes");
    }
    segment.allocate_block(*at, bytes);
    swb_l_subscriber& entry = segment.subscriber(inbox);
    set_status(segment, inbox, SWB_GATE_TAKING);
    entry.participant = owner.participant;
    entry.participant_generation = owner.participant_generation;
    entry.capacity = capacity;
    entry.policy = static_cast<std::uint32_t>(policy);
    entry.pattern_bytes[0] = entry.pattern_bytes[1] = 0;
    entry.subscribed_ns = wall_clock_ns();
    words::store_plain(entry.block_at, *at);
    words::store_plain(entry.block_bytes, bytes);
    words::reset_inbox(segment.inbox(inbox), capacity);
    words::reset_waking(segment.inbox(inbox));
    return inbox;
}

void activate_inbox(Segment& segment, std::uint32_t inbox) noexcept {
    swb_l_inbox& lines = segment.inbox(inbox);
    words::store_gate(lines, Gate::of(words::load_gate(lines).generation() + 1, SWB_GATE_ACTIVE));
}

void free_inbox(Segment& segment, std::uint32_t inbox) noexcept {
    end_inbox(segment, inbox, SWB_GATE_FREED);
    give_back_quiescent(segment);
}

void end_inbox(Segment& segment, std::uint32_t inbox, swb_l_gate_status end) noexcept {
    unroute_inbox(segment, inbox);
    set_status(segment, inbox, end);
    full_fence();
    swb_l_inbox& lines = segment.inbox(inbox);
    if (words::take_waiters(lines)) futex_wake_all(lines.room);
}

void give_back_quiescent(Segment& segment) noexcept {
    try {
        discard_quiescent(segment);
    } catch (const std::bad_alloc&) {
        // The next who takes or frees an inbox does it.
    }
}

std::optional<Ring> ring_of(Segment& segment, std::uint32_t inbox) {
    const Extent block = block_of(segment, inbox);
    if (block.end == 0) return std::nullopt;
    std::byte* at = segment.open_block(block.at, block.end - block.at);
    return Ring::in_block(segment.inbox(inbox), at, block.capacity, segment.plan().slot_bytes);
}

void finish_inbox_table(Segment& segment) noexcept {
    for (std::uint32_t i = 0; i < segment.plan().max_subscribers; ++i) {
        swb_l_subscriber& entry = segment.subscriber(i);
        const std::uint32_t status = status_of(segment, i);
        if (status == SWB_GATE_TAKING || (status == SWB_GATE_FREE && entry.block_bytes != 0)) discard(segment, i);
    }
}

}  // namespace swarmbus::core
