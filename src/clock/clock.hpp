// Time: the wall clock for events, the monotonic clock for waits.
#pragma once

#include <cstdint>

namespace swarmbus::core {

std::uint64_t wall_clock_ns() noexcept;  // CLOCK_REALTIME, nanoseconds since 1970
std::uint64_t monotonic_ns() noexcept;   // CLOCK_MONOTONIC: stands still while the machine sleeps

// Wall-clock stamps at the price of reading the cycle counter. Belongs to one thread. Anchored to
// CLOCK_REALTIME every millisecond, so that it follows steps of the wall clock and never drifts;
// where the cycle counter is not invariant every stamp asks the system.
class StampClock {
public:
    std::uint64_t now_ns() noexcept;

private:
    std::uint64_t anchor(std::uint64_t cycles) noexcept;

    std::uint64_t anchor_cycles_ = 0;
    std::uint64_t anchor_ns_ = 0;
    std::uint64_t valid_cycles_ = 0;  // how long the anchor may be used
    std::uint64_t scale_ = 0;         // nanoseconds per cycle, times 2^32
};

}  // namespace swarmbus::core
