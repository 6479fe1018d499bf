// Counting losses exactly, and telling each of them once.
#include <gtest/gtest.h>

#include "src/inbox/loss.hpp"
#include "tests/unit/private_ring.hpp"

namespace swarmbus::test {
namespace {

Losses losses(std::uint64_t evicted, std::uint64_t full = 0, std::uint64_t timeout = 0, std::uint64_t self = 0, std::uint64_t no_slot = 0,
              std::uint64_t damaged = 0) {
    return {evicted, full, timeout, self, no_slot, damaged};
}

class Counting : public testing::Test {
protected:
    // As publishers leave it: every cause, and their sum.
    void drop(std::uint64_t evicted, std::uint64_t full = 0, std::uint64_t timeout = 0, std::uint64_t self = 0,
              std::uint64_t no_slot = 0) const {
        swb_l_inbox& words = box.words();
        words.evictions += evicted;
        box.set_head(box.head().at(), static_cast<std::uint16_t>(box.head().evicted() + evicted));
        words.dropped_full += full;
        words.dropped_timeout += timeout;
        words.dropped_self += self;
        words.dropped_no_slot += no_slot;
        words.dropped += evicted + full + timeout + self + no_slot;
    }

    PrivateRing box;
    InboxReader reader{box.ring(), Overflow::drop_oldest, 1000};
    LossLedger ledger;
};

TEST_F(Counting, evictions_are_the_value_nearest_the_approximate_count_that_ends_in_the_bits_of_head) {
    struct Case {
        std::uint64_t about;
        std::uint16_t exact;
        std::uint64_t evictions;
    };
    for (const Case& c : {
             Case{0, 0, 0}, Case{5, 5, 5}, Case{3, 5, 5},              // two evictors have not counted yet
             Case{0, 1, 1}, Case{0xffff, 0, 0x10000},                  // over the end of the 16 bits
             Case{0xfff0, 3, 0x10003}, Case{0x10000, 0xffff, 0xffff},  // counted after head was read
             Case{0x20005, 0xfffe, 0x1fffe}, Case{0x7fff, 0x7fff + 0x7fff, 0xfffe}, Case{0x1'0000'0000, 0x1234, 0x1'0000'1234},
             Case{0x1'0000'0000, 0x8001, 0xffff'8001}, Case{2, 0xffff, 0},  // never below zero
         }) {
        box.words().evictions = c.about;
        box.set_head(16, c.exact);
        EXPECT_EQ(reader.evictions(), c.evictions) << c.about << ", " << c.exact;
    }
}

TEST_F(Counting, live_losses_hold_every_cause_in_its_place) {
    drop(1, 2, 3, 4, 5);
    EXPECT_EQ(live_losses(reader), losses(1, 2, 3, 4, 5, 0));
    EXPECT_EQ(total(live_losses(reader)), 15u);
}

TEST_F(Counting, nothing_lost_is_nothing_told) {
    EXPECT_FALSE(ledger.has_news(0));
    EXPECT_EQ(ledger.before_event(reader, 0), Losses{});
    EXPECT_EQ(ledger.untold(reader), Losses{});
}

TEST_F(Counting, an_event_tells_what_was_lost_before_it) {
    drop(2, 1);
    EXPECT_TRUE(ledger.has_news(3));
    EXPECT_EQ(ledger.before_event(reader, 3), losses(2, 1));
    EXPECT_EQ(ledger.told(), losses(2, 1));
    EXPECT_FALSE(ledger.has_news(3));
    EXPECT_EQ(ledger.before_event(reader, 3), Losses{});
}

TEST_F(Counting, an_event_does_not_tell_what_was_lost_after_it) {
    drop(2);
    drop(3);  // after the slot was claimed with a sum of 2
    EXPECT_EQ(ledger.before_event(reader, 2), losses(2));
    EXPECT_EQ(ledger.before_event(reader, 5), losses(3));
}

TEST_F(Counting, an_event_that_carries_less_than_was_told_tells_nothing) {
    drop(5);
    EXPECT_EQ(ledger.untold(reader), losses(5));
    EXPECT_FALSE(ledger.has_news(4));
    EXPECT_EQ(ledger.before_event(reader, 4), Losses{});
    EXPECT_EQ(ledger.told(), losses(5));
}

TEST_F(Counting, causes_are_told_up_to_the_sum_the_event_carries) {
    drop(2, 2, 2, 2, 2);
    EXPECT_EQ(ledger.before_event(reader, 5), losses(2, 2, 1));
    EXPECT_EQ(ledger.before_event(reader, 9), losses(0, 0, 1, 2, 1));
    EXPECT_EQ(ledger.before_event(reader, 10), losses(0, 0, 0, 0, 1));
    EXPECT_EQ(ledger.told(), losses(2, 2, 2, 2, 2));
}

TEST_F(Counting, a_sum_larger_than_the_counters_tells_no_more_than_they_hold) {
    drop(2);  // a damaged slot may carry any sum
    EXPECT_EQ(ledger.before_event(reader, 1'000'000), losses(2));
    EXPECT_EQ(ledger.before_event(reader, 1'000'000), Losses{});
}

TEST_F(Counting, losses_after_the_last_event_are_told_on_their_own) {
    drop(1, 0, 4);
    EXPECT_EQ(ledger.untold(reader), losses(1, 0, 4));
    EXPECT_EQ(ledger.untold(reader), Losses{});
    drop(0, 0, 0, 0, 1);
    EXPECT_EQ(ledger.untold(reader), losses(0, 0, 0, 0, 1));
}

TEST_F(Counting, an_eviction_whose_evictor_died_before_it_counted_is_told_once) {
    box.set_head(16, 1);  // in head, in no other counter
    EXPECT_EQ(ledger.before_event(reader, 0), Losses{});
    EXPECT_EQ(ledger.untold(reader), losses(1));
    drop(1);
    EXPECT_EQ(ledger.untold(reader), losses(1));
    EXPECT_EQ(total(ledger.told()), 2u);
}

TEST_F(Counting, damaged_slots_come_on_top_of_what_the_inbox_counts) {
    ledger.add_damaged();
    EXPECT_TRUE(ledger.has_news(0));
    EXPECT_EQ(ledger.before_event(reader, 0), losses(0, 0, 0, 0, 0, 1));
    EXPECT_FALSE(ledger.has_news(0));
    drop(1);
    EXPECT_EQ(ledger.before_event(reader, 1), losses(1)) << "one damaged slot told must not hide one eviction";
    ledger.add_damaged();
    ledger.add_damaged();
    EXPECT_EQ(ledger.untold(reader), losses(0, 0, 0, 0, 0, 2));
    EXPECT_EQ(ledger.told(), losses(1, 0, 0, 0, 0, 3));
}

TEST_F(Counting, is_exact_over_more_evictions_than_16_bits_hold) {
    std::uint64_t told = 0;
    for (int i = 0; i < 5; ++i) {
        drop(30'000);
        told += total(ledger.before_event(reader, box.words().dropped));
    }
    EXPECT_EQ(told, 150'000u);
    EXPECT_EQ(reader.evictions(), 150'000u);
}

TEST_F(Counting, one_drop_adds_to_its_cause_and_to_the_sum) {
    words::count_drop(box.words().dropped_timeout, box.words());
    words::count_eviction(box.words());
    EXPECT_EQ(box.words().dropped_timeout, 1u);
    EXPECT_EQ(box.words().evictions, 1u);
    EXPECT_EQ(words::load_dropped(box.words()), 2u);
}

}  // namespace
}  // namespace swarmbus::test
