// From states in which a writer is stopped in mid publish: it goes on, or dies, at any moment of what
// the others do.
#include <gtest/gtest.h>

#include "tests/unit/interleavings/accounts.hpp"

namespace swarmbus::test {
namespace {

constexpr std::uint32_t kStopped = 1;
constexpr std::uint32_t kEarlier = 4;  // whose events lie in the inbox already

// Positions 2 and 3 of 2 slots: the first claimed by the stopped writer, the second an event.
void claim_oldest(Accounts& accounts, Mark mark) {
    accounts.box.set_claim(2, kStopped, mark);
    accounts.box.put_ready(3, kEarlier);
    accounts.box.words().hint = 4;
    accounts.expect_also(1);
}

TEST(StoppedWriter, that_goes_on_while_it_is_suspected_and_its_inbox_is_full) {
    for (const Mark mark : {Mark::owned, Mark::doubt}) {
        const std::size_t runs = explore(3, [mark](Schedule& run) {
            Accounts accounts(Overflow::drop_oldest, 2, Reader::suspicious);
            claim_oldest(accounts, mark);
            run.thread('R', [&] { accounts.read(2); });
            run.thread('S', [&] { accounts.finish_or_publish(2, kStopped, 101); });
            run.thread('B', [&] { accounts.publish_each(2, 201, 201); });
            run.go();
            accounts.check();
        });
        EXPECT_GT(runs, 50'000u);
    }
}

TEST(StoppedWriter, that_dies_while_it_is_suspected_and_its_inbox_is_full) {
    for (const Reader reader : {Reader::suspicious, Reader::patient}) {
        const std::size_t runs = explore(2, [reader](Schedule& run) {
            Accounts accounts(Overflow::drop_oldest, 2, reader);
            claim_oldest(accounts, Mark::owned);
            run.thread('R', [&] { accounts.read(2); });
            run.mortal(
                'S', [&] { accounts.finish_or_publish(2, kStopped, 101); }, [&] { accounts.dies(kStopped); });
            run.thread('B', [&] { accounts.publish_each(2, 201, 202); });
            run.go();
            accounts.check();
        });
        EXPECT_GT(runs, 10'000u);
    }
}

TEST(StoppedWriter, that_commits_after_its_position_was_taken_away_is_not_counted_as_evicted) {
    // Taken away, and the reader has not moved head yet; committed all the same. An evictor finds
    // READY with a claim REVOKED, and the writer gives the slot back meanwhile.
    const std::size_t runs = explore(3, [](Schedule& run) {
        Accounts accounts(Overflow::drop_oldest, 2, Reader::suspicious);
        claim_oldest(accounts, Mark::revoked);
        accounts.box.set_state(2, Status::ready);
        accounts.box.set_value(2, 101);
        run.thread('S', [&] { accounts.settle_or_publish(2, kStopped, 101); });
        run.thread('B', [&] { accounts.publish_each(2, 201, 201); });
        run.thread('C', [&] { accounts.publish_each(3, 301, 301); });
        run.go();
        accounts.check();
    });
    EXPECT_GT(runs, 200'000u);
}

TEST(StoppedWriter, whose_slot_is_carried_on_while_it_gives_it_back) {
    for (const Overflow policy : {Overflow::drop_oldest, Overflow::block}) {
        const std::size_t runs = explore(3, [policy](Schedule& run) {
            Accounts accounts(policy, 2, Reader::suspicious);
            accounts.box.set_claim(2, kStopped, Mark::revoked);
            accounts.box.words().hint = 3;
            accounts.box.set_head(3);
            run.thread('S', [&] { accounts.finish_or_publish(2, kStopped, 101); });
            run.thread('B', [&] { accounts.publish_each(2, 201, 202); });
            run.thread('R', [&] { accounts.read(3); });
            run.go();
            accounts.check();
        });
        EXPECT_GT(runs, 50'000u);
    }
}

TEST(StoppedWriter, two_of_them_that_wake_up_together) {
    const std::size_t runs = explore(3, [](Schedule& run) {
        Accounts accounts(Overflow::drop_oldest, 2, Reader::suspicious);
        accounts.box.set_claim(2, 1);
        accounts.box.set_claim(3, 2);
        accounts.box.words().hint = 4;
        run.thread('R', [&] { accounts.read(3); });
        run.thread('S', [&] { accounts.finish_or_publish(2, 1, 101); });
        run.thread('T', [&] { accounts.finish_or_publish(3, 2, 201); });
        run.go();
        accounts.check();
    });
    EXPECT_GT(runs, 50'000u);
}

}  // namespace
}  // namespace swarmbus::test
