// So many a second, and never more than those of a second at once.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace swarmbus::gateway {

using Clock = std::chrono::steady_clock;

class TokenBucket {
public:
    // 0: as many as you like.
    explicit TokenBucket(std::uint32_t per_second, Clock::time_point now) noexcept
        : per_second_(per_second), tokens_(per_second), filled_(now) {}

    bool is_limited() const noexcept { return per_second_ > 0; }
    // Those that are there.
    std::uint32_t available(Clock::time_point now) noexcept {
        const double seconds = std::chrono::duration<double>(now - filled_).count();
        tokens_ = std::min<double>(per_second_, tokens_ + seconds * per_second_);
        filled_ = now;
        return static_cast<std::uint32_t>(tokens_);
    }
    void take(std::uint32_t count) noexcept { tokens_ -= count; }
    // When there will be one.
    Clock::time_point next() const noexcept {
        if (tokens_ >= 1) return filled_;
        // Rounded up: waking a moment early would find none.
        return filled_ + std::chrono::nanoseconds(static_cast<std::int64_t>((1 - tokens_) / per_second_ * 1e9) + 1000);
    }

private:
    std::uint32_t per_second_;
    double tokens_;
    Clock::time_point filled_;
};

}  // namespace swarmbus::gateway
