// Giving orders to another process through shared memory, and taking them.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <climits>

#include "tests/faults/board.hpp"

namespace swarmbus::faults {

inline void wake_all(std::atomic<std::uint32_t>& word) { ::syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0); }

// False if it is still this value after `patience`.
inline bool wait_until_not(std::atomic<std::uint32_t>& word, std::uint32_t value, std::chrono::nanoseconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (word == value) {
        const auto left = std::chrono::nanoseconds(deadline - std::chrono::steady_clock::now()).count();
        if (left <= 0) return false;
        const timespec timeout{left / 1'000'000'000, left % 1'000'000'000};
        ::syscall(SYS_futex, &word, FUTEX_WAIT, value, &timeout, nullptr, 0);
    }
    return true;
}

inline void post(Orders& orders, const Task& task) {
    orders.task = task;
    ++orders.asked;
    wake_all(orders.asked);
}

inline bool wait_done(Orders& orders, std::chrono::nanoseconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (std::uint32_t done; (done = orders.done) != orders.asked;) {
        if (!wait_until_not(orders.done, done, deadline - std::chrono::steady_clock::now())) return false;
    }
    return true;
}

// ---- the other side ----

inline bool order_waits(const Orders& orders) { return orders.asked != orders.done; }

inline const Task& next_order(Orders& orders) {
    while (!order_waits(orders)) wait_until_not(orders.asked, orders.done, std::chrono::seconds(1));
    return orders.task;
}

inline void tell_done(Orders& orders) {
    ++orders.done;
    wake_all(orders.done);
}

}  // namespace swarmbus::faults
