// How often something happened within the last second.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace swarm {

// Counts in steps of a tenth of a second; the step that is under way does not count yet, so the rate
// of a steady stream is steady.
class EventRate {
public:
    using Time = std::chrono::steady_clock::time_point;

    void add(Time now) noexcept {
        Step& step = steps_[number(now) % kSteps];
        if (step.number != number(now)) step = {number(now), 0};
        ++step.count;
    }
    std::uint64_t per_second(Time now) const noexcept {
        std::uint64_t sum = 0;
        for (const Step& step : steps_) {
            if (step.number < number(now) && step.number + kStepsPerSecond >= number(now)) sum += step.count;
        }
        return sum;
    }

private:
    struct Step {
        std::int64_t number = -1;
        std::uint64_t count = 0;
    };
    static constexpr std::int64_t kStepsPerSecond = 10;
    static constexpr std::int64_t kSteps = 16;

    static std::int64_t number(Time now) noexcept {
        return std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() / (1000 / kStepsPerSecond);
    }

    std::array<Step, kSteps> steps_{};
};

}  // namespace swarm
