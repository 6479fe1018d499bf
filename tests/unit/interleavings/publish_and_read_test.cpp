// Publishers and a reader, from an empty inbox.
#include <gtest/gtest.h>

#include "tests/unit/interleavings/accounts.hpp"

namespace swarmbus::test {
namespace {

// To these steps drop_newest is block: what differs is what a publisher does about "full".
constexpr Overflow kPolicies[] = {Overflow::drop_oldest, Overflow::block};

class EveryOrder : public testing::TestWithParam<std::tuple<Overflow, Reader>> {
protected:
    Overflow policy() const { return std::get<0>(GetParam()); }
    Reader reader() const { return std::get<1>(GetParam()); }
    // A reader that suspects takes part in the protocol of claims, and has more to get wrong.
    int preemptions() const { return reader() == Reader::suspicious ? 3 : 2; }
};

TEST_P(EveryOrder, of_two_publishers_and_a_reader_delivers_each_event_once_or_counts_it) {
    const std::size_t runs = explore(preemptions(), [this](Schedule& run) {
        Accounts accounts(policy(), 2, reader());
        run.thread('A', [&] { accounts.publish_each(1, 101, 102); });
        run.thread('B', [&] { accounts.publish_each(2, 201, 202); });
        run.thread('R', [&] { accounts.read(3); });
        run.go();
        accounts.check();
    });
    EXPECT_GT(runs, 5'000u);
}

TEST_P(EveryOrder, with_a_publisher_killed_at_any_step_loses_at_most_what_it_had_not_committed) {
    const std::size_t runs = explore(2, [this](Schedule& run) {
        Accounts accounts(policy(), 2, reader());
        run.mortal(
            'A', [&] { accounts.publish_each(1, 101, 102); }, [&] { accounts.dies(1); });
        run.thread('B', [&] { accounts.publish_each(2, 201, 202); });
        run.thread('R', [&] { accounts.read(2); });
        run.go();
        accounts.check();
    });
    EXPECT_GT(runs, 50'000u);
}

TEST_P(EveryOrder, with_a_reader_that_takes_batches_delivers_each_event_once_or_counts_it) {
    const std::size_t runs = explore(2, [this](Schedule& run) {
        Accounts accounts(policy(), 4, reader());
        run.thread('A', [&] { accounts.publish_each(1, 101, 104); });
        run.thread('B', [&] { accounts.publish_each(2, 201, 203); });
        run.thread('R', [&] { accounts.read(3, 2); });
        run.go();
        accounts.check();
    });
    EXPECT_GT(runs, 10'000u);
}

TEST_P(EveryOrder, of_three_publishers_leaves_no_hole) {
    const std::size_t runs = explore(2, [this](Schedule& run) {
        Accounts accounts(policy(), 2, reader());
        for (const std::uint32_t writer : {1u, 2u, 3u}) {
            run.thread(static_cast<char>('@' + writer),
                       [&accounts, writer] { accounts.publish_each(writer, 100 * writer + 1, 100 * writer + 2); });
        }
        run.thread('R', [&] { accounts.read(2); });
        run.go();
        accounts.check();
    });
    EXPECT_GT(runs, 50'000u);
}

INSTANTIATE_TEST_SUITE_P(, EveryOrder, testing::Combine(testing::ValuesIn(kPolicies), testing::Values(Reader::suspicious, Reader::patient)),
                         [](const auto& info) {
                             return std::string(std::get<0>(info.param) == Overflow::drop_oldest ? "drop_oldest" : "block") +
                                    (std::get<1>(info.param) == Reader::suspicious ? "_suspicious" : "_patient");
                         });

}  // namespace
}  // namespace swarmbus::test
