// The words of the tables: participants, writers, types, routes, patterns, control.
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>

#include "src/segment/layout.h"
#include "src/words/order.hpp"
#include "src/words/position.hpp"

namespace swarmbus::core::words {

// Published words: what was written before store_published() is seen by who loads the value.
template <typename Word>
inline Word load_published(Word& word) noexcept {
    // SYNC(published): acquire; pairs with the release in store_published().
    return std::atomic_ref<Word>(word).load(std::memory_order_acquire);
}
template <typename Word>
inline void store_published(Word& word, Word value) noexcept {
    // SYNC(published): release; pairs with the acquire in load_published().
    std::atomic_ref<Word>(word).store(value, std::memory_order_release);
}

template <typename Word>
inline bool replace_published(Word& word, Word expected, Word desired) noexcept {
    // SYNC(published): release; pairs with the acquire in load_published().
    return std::atomic_ref<Word>(word).compare_exchange_strong(expected, desired, std::memory_order_acq_rel, std::memory_order_acquire);
}

// Plain counters and words whose order does not matter.
template <typename Word>
inline Word load_plain(Word& word) noexcept {
    return std::atomic_ref<Word>(word).load(std::memory_order_relaxed);
}
template <typename Word>
inline void store_plain(Word& word, Word value) noexcept {
    std::atomic_ref<Word>(word).store(value, std::memory_order_relaxed);
}

// ---- writers ----

inline Lease load_lease(swb_l_writer& writer) noexcept {
    // SYNC(lease): acquire; pairs with the CAS in replace_lease().
    return {Shared64(writer.lease).load(std::memory_order_acquire)};
}

inline bool replace_lease(swb_l_writer& writer, Lease expected, Lease desired) noexcept {
    // SYNC(lease): acq_rel; pairs with the acquire in load_lease().
    return Shared64(writer.lease).compare_exchange_strong(expected.raw, desired.raw, std::memory_order_acq_rel, std::memory_order_acquire);
}

// Ids are leased in turn: the next number to begin at. When all have had their turn it goes round above them.
inline std::uint32_t next_writer(swb_l_header& header) noexcept {
    constexpr std::uint32_t kIds = SWB_WRITERS - 1;
    Shared32 next(header.next_writer);
    std::uint32_t number = next.load(std::memory_order_relaxed), following;
    do following = number < 2 * kIds ? number + 1 : kIds + 1;
    while (!next.compare_exchange_weak(number, following, std::memory_order_relaxed, std::memory_order_relaxed));
    return number;
}

// Where who looks at all writers may stop: no id from here on was leased yet. Behind a barrier or under a lock, which
// orders this after what must be seen of those that were.
inline std::uint32_t end_of_writers(swb_l_header& header) noexcept {
    return std::min<std::uint32_t>(Shared32(header.next_writer).load(std::memory_order_relaxed), SWB_WRITERS);
}

// Tells others that the writer is inside publish, for as long as this lives.
class InsidePublish {
public:
    explicit InsidePublish(swb_l_writer& writer) noexcept : writer_(writer) {
        Shared32(writer_.inside).store(1, std::memory_order_relaxed);
    }
    ~InsidePublish() { Shared32(writer_.inside).store(0, std::memory_order_relaxed); }
    InsidePublish(const InsidePublish&) = delete;
    InsidePublish& operator=(const InsidePublish&) = delete;

private:
    swb_l_writer& writer_;
};

// A reaper, for a writer that died inside.
inline void leave_publish(swb_l_writer& writer) noexcept { Shared32(writer.inside).store(0, std::memory_order_relaxed); }

// The writer, before it looks at the gate of that inbox.
inline void name_inbox(swb_l_writer& writer, std::uint32_t place, std::uint32_t inbox, bool fence) noexcept {
    // SYNC(name-state): the taker's membarrier orders this store before the load in load_gate();
    // a writer whose process is not registered for it fences itself.
    Shared32(writer.in_inbox[place]).store(inbox + 1, kStoreBeforeFence);
    if (fence) full_fence();
    else compiler_fence();
}

// The writer, after its last look at that inbox's claims.
inline void unname_inbox(swb_l_writer& writer, std::uint32_t place) noexcept {
    // SYNC(inbox-left): release; pairs with the acquire in named_inbox().
    Shared32(writer.in_inbox[place]).store(0, std::memory_order_release);
}

inline std::uint32_t named_inbox(swb_l_writer& writer, std::uint32_t place) noexcept {
    // SYNC(inbox-left): acquire; pairs with the release in unname_inbox().
    // SYNC(name-state): behind the taker's membarrier; pairs with name_inbox().
    return Shared32(writer.in_inbox[place]).load(kLoadAfterFence);
}

// ---- texts that are copied while they may change; the caller checks a version around it ----

template <std::size_t Words>
inline void store_text(std::uint64_t (&target)[Words], std::string_view text) noexcept {
    // SYNC(text-version): release fence before the text; pairs with the fence in load_text(): who
    // reads a word of the new text sees that the version has changed.
    if constexpr (kFences) std::atomic_thread_fence(std::memory_order_release);
    for (std::size_t i = 0; i < Words; ++i) {
        std::uint64_t word = 0;
        if (i * 8 < text.size()) std::memcpy(&word, text.data() + i * 8, std::min<std::size_t>(8, text.size() - i * 8));
        Shared64(target[i]).store(word, std::memory_order_relaxed);
    }
}

template <std::size_t Words>
inline void load_text(std::uint64_t (&source)[Words], char (&target)[Words * 8]) noexcept {
    for (std::size_t i = 0; i < Words; ++i) {
        const std::uint64_t word = Shared64(source[i]).load(std::memory_order_relaxed);
        std::memcpy(target + i * 8, &word, 8);
    }
    target[Words * 8 - 1] = '\0';
    // SYNC(text-version): acquire fence before the version is read again; the version was
    // published after the text.
    if constexpr (kFences) std::atomic_thread_fence(std::memory_order_acquire);
}

// ---- routes ----

inline std::uint64_t load_route(std::uint64_t& word) noexcept {
    // SYNC(route): acquire; pairs with the release in store_route().
    return Shared64(word).load(std::memory_order_acquire);
}

inline void store_route(std::uint64_t& word, std::uint64_t bits) noexcept {
    // SYNC(route): release; pairs with the acquire in load_route().
    Shared64(word).store(bits, std::memory_order_release);
}

}  // namespace swarmbus::core::words
