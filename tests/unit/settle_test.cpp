// The writer's look at its claim after the commit.
#include <gtest/gtest.h>

#include "tests/unit/private_ring.hpp"

namespace swarmbus::test {
namespace {

constexpr std::uint32_t kMe = 9;
constexpr std::uint32_t kOther = 7;

class Settling : public testing::Test {
protected:
    Settling() { box.put_ready(16, kMe); }
    PrivateRing box;
};

TEST_F(Settling, commit_makes_the_position_ready_and_nothing_else) {
    PrivateRing fresh;
    fresh.set_claim(16, kMe);
    commit(fresh.ring(), 16);
    EXPECT_TRUE(fresh.ready(16));
    EXPECT_EQ(fresh.claim(16), fresh.as_claim(16, kMe));
    EXPECT_EQ(fresh.head(), Head::of(16, 0));
}

TEST_F(Settling, a_claim_that_is_still_owned_is_committed) {
    EXPECT_TRUE(settle(box.ring(), 16, kMe));
    EXPECT_EQ(box.claim(16), box.as_claim(16, kMe));
    EXPECT_TRUE(box.ready(16));
}

TEST_F(Settling, a_doubt_is_answered_with_OWNED) {
    box.set_claim(16, kMe, Mark::doubt);
    EXPECT_TRUE(settle(box.ring(), 16, kMe));
    EXPECT_EQ(box.claim(16), box.as_claim(16, kMe));
    EXPECT_TRUE(box.ready(16));
}

TEST_F(Settling, a_position_taken_away_is_given_back_to_be_published_anew) {
    box.set_claim(16, kMe, Mark::revoked);
    EXPECT_FALSE(settle(box.ring(), 16, kMe));
    EXPECT_TRUE(box.skip(16));
    EXPECT_EQ(box.claim(16), box.as_claim(16, kMe));
}

TEST_F(Settling, a_slot_that_was_carried_on_is_given_back_at_its_new_position) {
    box.set_claim(16 + 5 * 16, kMe, Mark::revoked);
    EXPECT_FALSE(settle(box.ring(), 16, kMe));
    EXPECT_TRUE(box.skip(16 + 5 * 16));
    EXPECT_EQ(box.claim(16), box.as_claim(16 + 5 * 16, kMe));
}

TEST_F(Settling, a_slot_that_was_carried_on_over_the_end_of_the_numbers_is_given_back_there) {
    const Position last_lap = (Position{1} << 48) - 16;
    PrivateRing late(16, last_lap);
    late.put_ready(last_lap, kMe);
    late.set_claim(0, kMe, Mark::revoked);
    EXPECT_FALSE(settle(late.ring(), last_lap, kMe));
    EXPECT_EQ(late.state(0), State::of(0, Status::skip));
    EXPECT_EQ(late.claim(0), late.as_claim(0, kMe));
}

TEST_F(Settling, a_claim_that_moved_on_to_another_writer_was_passed_as_committed) {
    for (const Mark mark : {Mark::owned, Mark::doubt, Mark::revoked}) {
        box.set_claim(32, kOther, mark);
        EXPECT_TRUE(settle(box.ring(), 16, kMe));
        EXPECT_EQ(box.claim(32), box.as_claim(32, kOther, mark)) << "it is not ours to touch";
        EXPECT_TRUE(box.ready(16));
    }
}

TEST_F(Settling, a_later_claim_of_ones_own_under_doubt_is_not_this_one) {
    // Not reachable with one publish in flight a writer, but no reason to touch it.
    box.set_claim(32, kMe, Mark::doubt);
    EXPECT_TRUE(settle(box.ring(), 16, kMe));
    EXPECT_EQ(box.claim(32), box.as_claim(32, kMe, Mark::doubt));
}

TEST_F(Settling, a_slot_given_back_is_claimed_like_any_other) {
    box.set_claim(16, kMe, Mark::revoked);
    box.words().hint = 17;
    box.set_head(17);
    EXPECT_FALSE(settle(box.ring(), 16, kMe));
    for (Position p = 17; p < 32; ++p) box.put_ready(p, kOther);
    box.words().hint = 32;
    Target target = box.target(Overflow::block);
    Witness witness;
    EXPECT_EQ(claim(target, kOther, witness).at, 32u);
    EXPECT_EQ(box.claim(32), box.as_claim(32, kOther));
}

}  // namespace
}  // namespace swarmbus::test
