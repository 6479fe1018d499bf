// A reader that looks at its events while publishers go round the inbox.
#include <gtest/gtest.h>

#include "tests/unit/interleavings/accounts.hpp"

namespace swarmbus::test {
namespace {

TEST(HeldEvents, are_not_written_over_by_publishers_that_lap_the_reader) {
    for (const Reader reader : {Reader::suspicious, Reader::patient}) {
        const std::size_t runs = explore(2, [reader](Schedule& run) {
            Accounts accounts(Overflow::drop_oldest, 4, reader);
            accounts.box.fill(4);
            accounts.expect_also(4);
            run.thread('R', [&] { accounts.read(2, 2); });
            run.thread('A', [&] { accounts.publish_each(1, 101, 105); });
            run.thread('B', [&] { accounts.publish_each(2, 201, 205); });
            run.go();
            accounts.check();
        });
        EXPECT_GT(runs, 50'000u);
    }
}

TEST(HeldEvents, in_an_inbox_of_two_slots_leave_one_to_publish_to) {
    const std::size_t runs = explore(3, [](Schedule& run) {
        Accounts accounts(Overflow::drop_oldest, 2, Reader::suspicious);
        accounts.box.fill(4);
        accounts.expect_also(2);
        run.thread('R', [&] { accounts.read(2); });
        run.thread('A', [&] { accounts.publish_each(1, 101, 102); });
        run.thread('B', [&] { accounts.publish_each(2, 201, 201); });
        run.go();
        accounts.check();
    });
    EXPECT_GT(runs, 200'000u);
}

TEST(HeldEvents, taken_while_an_evictor_is_at_the_same_event_are_held_or_counted) {
    const std::size_t runs = explore(4, [](Schedule& run) {
        Accounts accounts(Overflow::drop_oldest, 2, Reader::patient);
        accounts.box.fill(4);
        accounts.expect_also(2);
        run.thread('R', [&] { accounts.read(2); });
        run.thread('A', [&] { accounts.publish_each(1, 101, 102); });
        run.go();
        accounts.check();
    });
    EXPECT_GT(runs, 50'000u);
}

}  // namespace
}  // namespace swarmbus::test
