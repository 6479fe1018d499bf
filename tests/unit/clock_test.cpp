// Time stamps at the price of a cycle counter are still the time of the wall clock.
#include <gtest/gtest.h>

#include <algorithm>

#include "src/clock/clock.hpp"

namespace swarmbus::core {
namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;

TEST(StampClocks, stay_within_a_millisecond_of_the_wall_clock) {
    StampClock clock;
    const std::uint64_t end = monotonic_ns() + 20 * kMillisecond;  // over many anchors
    do {
        // Between two readings of the wall clock: however long this thread is stopped in between.
        const std::uint64_t before = wall_clock_ns();
        const std::uint64_t stamp = clock.now_ns();
        const std::uint64_t after = wall_clock_ns();
        ASSERT_GE(stamp + kMillisecond, before);
        ASSERT_LE(stamp, after + kMillisecond);
    } while (monotonic_ns() < end);
}

TEST(StampClocks, hardly_ever_go_back_and_never_far) {
    StampClock clock;
    std::uint64_t newest = clock.now_ns();
    int back = 0;
    constexpr int kStamps = 200'000;
    for (int i = 0; i < kStamps; ++i) {
        const std::uint64_t stamp = clock.now_ns();
        if (stamp < newest) {
            ++back;
            ASSERT_LE(newest - stamp, kMillisecond);
        }
        newest = std::max(newest, stamp);
    }
    EXPECT_LT(back, kStamps / 10) << "at a new anchor now and then, not within one";
}

TEST(StampClocks, of_two_threads_agree) {
    StampClock one, other;
    for (int i = 0; i < 1000; ++i) {
        const std::uint64_t before = one.now_ns();
        const std::uint64_t between = other.now_ns();
        const std::uint64_t after = one.now_ns();
        ASSERT_GE(between + kMillisecond, before);
        ASSERT_LE(between, after + kMillisecond);
    }
}

TEST(MonotonicTime, never_goes_back) {
    std::uint64_t last = monotonic_ns();
    for (int i = 0; i < 100'000; ++i) {
        const std::uint64_t now = monotonic_ns();
        ASSERT_GE(now, last);
        last = now;
    }
}

}  // namespace
}  // namespace swarmbus::core
