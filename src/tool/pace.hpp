// Evenly spaced events.
#pragma once

#include <algorithm>
#include <chrono>

#include "src/tool/interrupts.hpp"

namespace swarmbus::tool {

class Pace {
public:
    explicit Pace(double per_second) noexcept
        : gap_(std::chrono::duration_cast<Clock::duration>(Seconds(std::min(1 / per_second, kLongestGapSeconds)))) {}

    // Sleeps until the next event is due. One that came late is caught up with, but a long pause is
    // not followed by a burst.
    void wait() {
        const Clock::time_point now = Clock::now();
        due_ = std::max(due_, now - kCatchUp);
        if (due_ > now) sleep_until(due_);
        due_ += gap_;
    }

private:
    using Seconds = std::chrono::duration<double>;
    static constexpr double kLongestGapSeconds = 1e9;
    static constexpr std::chrono::milliseconds kCatchUp{100};

    const Clock::duration gap_;
    Clock::time_point due_ = Clock::now();
};

}  // namespace swarmbus::tool
