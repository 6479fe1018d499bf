// A publisher makes room in a full drop_oldest inbox: every state the oldest position can be in.
#include <gtest/gtest.h>

#include "tests/unit/private_ring.hpp"

namespace swarmbus::test {
namespace {

constexpr std::uint32_t kMe = 9;
constexpr std::uint32_t kOther = 7;

// Full: positions 16 to 31, all committed by kOther.
class Evicting : public testing::Test {
protected:
    Evicting() { box.fill(kOther); }

    // Position 16 as a writer leaves it that has claimed and not committed.
    void leave_oldest_unfinished(Mark mark = Mark::owned) const {
        box.set_claim(16, kOther, mark);
        box.ring().state(16) = State::of(0, Status::ready).raw;
    }
    Claimed claim_one() {
        Target target = box.target(Overflow::drop_oldest);
        return claim(target, kMe, witness);
    }
    void expect_counted(std::uint16_t evicted) const {
        EXPECT_EQ(box.head().evicted(), evicted);
        EXPECT_EQ(box.words().evictions, evicted);
        EXPECT_EQ(box.words().dropped, evicted);
    }

    PrivateRing box;
    Witness witness;
};

TEST_F(Evicting, takes_the_oldest_event_and_counts_it_once) {
    const Claimed got = claim_one();
    EXPECT_EQ(got.result, ClaimResult::claimed);
    EXPECT_EQ(got.at, 32u);
    EXPECT_EQ(box.head(), Head::of(17, 1));
    expect_counted(1);
    EXPECT_TRUE(witness.asked.empty());
}

TEST_F(Evicting, takes_no_more_than_one_event_for_each_claim) {
    for (std::uint16_t n = 1; n <= 40; ++n) {
        const Claimed got = claim_one();
        ASSERT_EQ(got.at, 31u + n);
        commit(box.ring(), got.at);
        ASSERT_EQ(box.head(), Head::of(16u + n, n));
    }
    expect_counted(40);
}

TEST_F(Evicting, counts_on_in_16_bits_without_touching_the_position) {
    box.set_head(16, 0xffff);
    box.words().evictions = 0xffff;
    EXPECT_EQ(claim_one().at, 32u);
    EXPECT_EQ(box.head(), Head::of(17, 0));
    EXPECT_EQ(box.words().evictions, 0x10000u);
}

TEST_F(Evicting, settles_a_doubt_about_the_oldest_event_first) {
    // Not settled, the reader would take away what was counted as evicted, and its writer publish it
    // again. Only the end can be seen here; interleavings/stopped_writer_test.cpp looks in between.
    box.set_claim(16, kOther, Mark::doubt);
    EXPECT_EQ(claim_one().at, 32u);
    expect_counted(1);
    EXPECT_EQ(box.claim(32), box.as_claim(32, kMe));
}

TEST_F(Evicting, passes_a_position_that_was_taken_away_without_counting_it) {
    leave_oldest_unfinished(Mark::revoked);
    const Claimed got = claim_one();
    EXPECT_EQ(got.at, 33u) << "the slot of 16 stays set aside, 17 makes room";
    EXPECT_EQ(box.claim(32), box.as_claim(32, kOther, Mark::revoked));
    EXPECT_EQ(box.head(), Head::of(18, 1));
    expect_counted(1);
    EXPECT_TRUE(witness.asked.empty());
}

TEST_F(Evicting, passes_a_position_that_was_taken_away_even_if_it_turned_ready_since) {
    box.set_claim(16, kOther, Mark::revoked);  // its writer will publish that event anew
    EXPECT_EQ(claim_one().at, 33u);
    EXPECT_EQ(box.head(), Head::of(18, 1));
    expect_counted(1);
}

TEST_F(Evicting, passes_a_skipped_position_without_counting_it) {
    box.set_state(16, Status::skip);
    EXPECT_EQ(claim_one().at, 32u);
    EXPECT_EQ(box.head(), Head::of(17, 0));
    expect_counted(0);
}

TEST_F(Evicting, answers_full_when_a_living_writer_has_not_finished_the_oldest_event) {
    for (const Mark mark : {Mark::owned, Mark::doubt}) {
        leave_oldest_unfinished(mark);
        witness.asked.clear();
        EXPECT_EQ(claim_one().result, ClaimResult::full);
        EXPECT_EQ(witness.asked, std::vector<std::uint32_t>{kOther});
        EXPECT_EQ(box.claim(16), box.as_claim(16, kOther, mark));
        EXPECT_EQ(box.head(), Head::of(16, 0));
        EXPECT_EQ(box.words().hint, 32u);
        expect_counted(0);
    }
}

TEST_F(Evicting, passes_the_unfinished_position_of_a_dead_writer_without_counting_it) {
    for (const Mark mark : {Mark::owned, Mark::doubt}) {
        box.fill(kOther);
        leave_oldest_unfinished(mark);
        witness.dead = {kOther};
        EXPECT_EQ(claim_one().at, 32u);
        EXPECT_EQ(box.claim(32), box.as_claim(32, kMe));
        EXPECT_EQ(box.head(), Head::of(17, 0));
        expect_counted(0);
        box.set_head(16);
    }
}

TEST_F(Evicting, counts_the_event_of_a_writer_whose_last_store_was_the_commit) {
    leave_oldest_unfinished();
    witness.dead = {kOther};
    witness.meanwhile = [this] { box.set_state(16, Status::ready); };  // it died after its commit
    EXPECT_EQ(claim_one().at, 32u);
    EXPECT_EQ(box.head(), Head::of(17, 1));
    expect_counted(1);
}

TEST_F(Evicting, does_not_count_what_a_dying_writer_gave_back) {
    leave_oldest_unfinished();
    witness.dead = {kOther};
    witness.meanwhile = [this] { box.set_state(16, Status::skip); };
    EXPECT_EQ(claim_one().at, 32u);
    expect_counted(0);
}

TEST_F(Evicting, looks_again_when_a_living_writer_finishes_meanwhile) {
    leave_oldest_unfinished();
    witness.meanwhile = [this] { box.set_state(16, Status::ready); };
    EXPECT_EQ(claim_one().at, 32u);
    expect_counted(1);
}

TEST_F(Evicting, looks_again_when_the_reader_has_moved_meanwhile) {
    leave_oldest_unfinished();
    witness.meanwhile = [this] { box.set_head(20); };
    EXPECT_EQ(claim_one().at, 32u);
    EXPECT_EQ(box.head(), Head::of(20, 0));
    expect_counted(0);
}

TEST_F(Evicting, asks_anew_about_a_writer_each_time) {
    // The id may have a new owner by the next time.
    leave_oldest_unfinished();
    witness.dead = {kOther};
    EXPECT_EQ(claim_one().at, 32u);
    box.set_claim(17, kOther);
    box.ring().state(17) = State::of(0, Status::ready).raw;
    witness.dead = {};
    EXPECT_EQ(claim_one().result, ClaimResult::full);
    EXPECT_EQ(witness.asked, (std::vector<std::uint32_t>{kOther, kOther}));
}

TEST_F(Evicting, never_takes_head_past_what_the_reader_took) {
    box.set_head(24);  // the reader holds 16 to 23
    box.set_holding(16, 8);
    EXPECT_EQ(claim_one().at, 40u);
    EXPECT_EQ(box.head(), Head::of(25, 1));
    expect_counted(1);
}

TEST_F(Evicting, makes_no_room_in_an_inbox_that_keeps_the_oldest) {
    for (const Overflow policy : {Overflow::drop_newest, Overflow::block}) {
        leave_oldest_unfinished();
        witness.dead = {kOther};
        Target target = box.target(policy);
        EXPECT_EQ(claim(target, kMe, witness).result, ClaimResult::full);
        EXPECT_EQ(box.head(), Head::of(16, 0));
    }
    EXPECT_TRUE(witness.asked.empty());
}

}  // namespace
}  // namespace swarmbus::test
