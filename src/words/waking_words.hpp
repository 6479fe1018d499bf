// The two words that processes sleep on: an inbox's wake word (its reader) and its room word (its
// publishers). Both hold a counter beside the flag, so that a sleeper that compares with what it
// announced can't miss a change.
#pragma once

#include "src/segment/layout.h"
#include "src/words/order.hpp"

namespace swarmbus::core::words {

// wake: counter:30 | mode:2. The reader alone changes the mode, but for waiting -> notified.
inline constexpr std::uint32_t kAwake = 0;
inline constexpr std::uint32_t kAsleep = 1;    // on this word
inline constexpr std::uint32_t kWaiting = 2;   // on its descriptor
inline constexpr std::uint32_t kNotified = 3;  // the descriptor has been made readable
inline constexpr std::uint32_t kModeMask = 3;
inline constexpr std::uint32_t kWakeStep = 4;

// room: counter:31 | waited for:1.
inline constexpr std::uint32_t kWaitedFor = 1;
inline constexpr std::uint32_t kRoomStep = 2;

// The reader, before its last look at the state. Every announcement is another word. Returns it.
inline std::uint32_t announce(swb_l_inbox& inbox, std::uint32_t mode) noexcept {
    Shared32 wake(inbox.wake);
    std::uint32_t before = wake.load(std::memory_order_relaxed), word;
    // SYNC(asleep-commit): seq_cst and a full fence; pairs with the fence between store_state() and
    // load_wake(): either the reader sees the event or the publisher sees the sleeper.
    do word = ((before & ~kModeMask) + kWakeStep) | mode;
    while (!wake.compare_exchange_weak(before, word, std::memory_order_seq_cst, std::memory_order_relaxed));
    full_fence();
    return word;
}

inline std::uint32_t announce_sleep(swb_l_inbox& inbox) noexcept { return announce(inbox, kAsleep); }
// The caller has drained its descriptor before.
inline void announce_waiting(swb_l_inbox& inbox) noexcept { announce(inbox, kWaiting); }

// For a new owner: one who died asleep has left its mode behind. The counters go on.
inline void reset_waking(swb_l_inbox& inbox) noexcept {
    Shared32(inbox.wake).fetch_and(~kModeMask, std::memory_order_relaxed);
    Shared32(inbox.room).fetch_and(~kWaitedFor, std::memory_order_relaxed);
}

inline void withdraw_sleep(swb_l_inbox& inbox) noexcept { Shared32(inbox.wake).fetch_and(~kModeMask, std::memory_order_relaxed); }

// A publisher, behind its commit fence.
inline std::uint32_t load_wake(swb_l_inbox& inbox) noexcept {
    // SYNC(asleep-commit): load behind the commit fence; pairs with announce().
    return Shared32(inbox.wake).load(kLoadAfterFence);
}
inline bool reader_rests(std::uint32_t wake) noexcept { return (wake & kModeMask) == kAsleep || (wake & kModeMask) == kWaiting; }

// A publisher that has made the descriptor readable. One that dies before leaves it to the next.
inline void note_notified(swb_l_inbox& inbox, std::uint32_t waiting) noexcept {
    Shared32(inbox.wake).compare_exchange_strong(waiting, waiting | kNotified, std::memory_order_relaxed, std::memory_order_relaxed);
}

// Changes the word, so that a reader between its last look and its sleep does not fall asleep. The
// bits stay: a publisher that died before its FUTEX_WAKE must not hide the sleeper from others.
inline void bump_wake(swb_l_inbox& inbox) noexcept {
    Shared32(inbox.wake).fetch_add(kWakeStep, std::memory_order_relaxed);  // the kernel orders the rest
}

// A publisher, before its last look at head. Returns the word to sleep on.
inline std::uint32_t announce_wait(swb_l_inbox& inbox) noexcept {
    // SYNC(head-room): seq_cst and a full fence; pairs with the fence between store_head() and
    // take_waiters(): either the publisher sees the room or the reader sees the flag.
    const std::uint32_t before = Shared32(inbox.room).fetch_or(kWaitedFor, std::memory_order_seq_cst);
    full_fence();
    return before | kWaitedFor;
}

// The reader, behind the fence that follows store_head(); and whoever closes the inbox. True when
// sleepers must be woken.
inline bool take_waiters(swb_l_inbox& inbox) noexcept {
    Shared32 room(inbox.room);
    // SYNC(head-room): load behind the fence; pairs with announce_wait().
    std::uint32_t seen = room.load(kLoadAfterFence);
    while ((seen & kWaitedFor) != 0) {
        if (room.compare_exchange_weak(seen, (seen & ~kWaitedFor) + kRoomStep, std::memory_order_seq_cst, std::memory_order_acquire)) {
            return true;
        }
    }
    return false;
}

}  // namespace swarmbus::core::words
