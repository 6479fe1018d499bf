// Whether a peer takes what was sent to it.
#pragma once

#include <chrono>
#include <cstdint>

namespace swarmbus::gateway {

class Uptake {
public:
    using Clock = std::chrono::steady_clock;
    Uptake(int socket, Clock::time_point now) noexcept : socket_(socket), moved_at_(now) {}

    // To be asked now and then: whether nothing was acknowledged for that long. Slow is not stuck.
    bool is_stuck(Clock::time_point now, Clock::duration patience) noexcept;

private:
    const int socket_;
    std::uint64_t acknowledged_ = 0;
    Clock::time_point moved_at_;
};

}  // namespace swarmbus::gateway
