// Counting evictions while evictors run.
#include <gtest/gtest.h>

#include "tests/unit/interleavings/accounts.hpp"

namespace swarmbus::test {
namespace {

TEST(CountingEvictions, is_right_at_some_moment_of_the_call_however_long_the_reader_is_stopped_in_it) {
    constexpr std::uint64_t kAtOnce = 15'000, kTimes = 5;  // more in all than the 16 bits of head tell apart
    explore(3, [](Schedule& run) {
        PrivateRing box(16);
        const InboxReader reader(box.ring(), Overflow::drop_oldest, 0);
        std::uint64_t before = 0, counted = 0, after = 0, evicted = 0;
        run.thread('R', [&] {
            step();
            before = evicted;
            counted = reader.evictions();
            after = evicted;
        });
        // So many evictors, one after the other: head first, then the count beside it.
        run.thread('E', [&] {
            for (std::uint64_t i = 0; i < kTimes; ++i) {
                step();
                evicted += kAtOnce;
                box.set_head(16 + evicted, static_cast<std::uint16_t>(evicted));
                step();
                box.words().evictions = evicted;
            }
        });
        run.go();
        EXPECT_GE(counted, before);
        EXPECT_LE(counted, after);
    });
}

}  // namespace
}  // namespace swarmbus::test
