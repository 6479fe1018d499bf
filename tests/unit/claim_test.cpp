// Finding a position: whose it is, whether it is free, whether the inbox is full.
#include <gtest/gtest.h>

#include "tests/unit/private_ring.hpp"

namespace swarmbus::test {
namespace {

constexpr std::uint32_t kMe = 9;
constexpr std::uint32_t kOther = 7;

TEST(Claiming, takes_the_first_position_of_a_fresh_inbox) {
    PrivateRing box;
    Target target = box.target(Overflow::drop_oldest);
    Witness witness;
    const Claimed got = claim(target, kMe, witness);
    EXPECT_EQ(got.result, ClaimResult::claimed);
    EXPECT_EQ(got.at, 16u);
    EXPECT_EQ(box.claim(16), box.as_claim(16, kMe));
    EXPECT_EQ(box.words().hint, 17u);
    EXPECT_TRUE(box.unwritten(16));
    EXPECT_TRUE(witness.asked.empty());
}

TEST(Claiming, goes_on_to_the_next_position_when_somebody_has_it) {
    PrivateRing box;
    box.set_claim(16, kOther);
    box.set_claim(17, kOther, Mark::doubt);
    box.set_claim(18, kOther, Mark::revoked);
    Target target = box.target(Overflow::drop_oldest);
    Witness witness;
    const Claimed got = claim(target, kMe, witness);
    EXPECT_EQ(got.result, ClaimResult::claimed);
    EXPECT_EQ(got.at, 19u);
    EXPECT_EQ(box.claim(16), box.as_claim(16, kOther));
    EXPECT_EQ(box.claim(17), box.as_claim(17, kOther, Mark::doubt));
    EXPECT_EQ(box.claim(18), box.as_claim(18, kOther, Mark::revoked));
}

TEST(Claiming, starts_at_the_hint) {
    PrivateRing box;
    for (Position p = 16; p < 20; ++p) box.set_claim(p, kOther);
    box.words().hint = 20;
    Target target = box.target(Overflow::drop_oldest);
    Witness witness;
    EXPECT_EQ(claim(target, kMe, witness).at, 20u);
    EXPECT_EQ(box.words().hint, 21u);
}

TEST(Claiming, starts_again_from_head_when_the_hint_is_a_lap_behind) {
    PrivateRing box;
    box.fill(kOther);
    box.set_head(20);
    box.set_claim(32, kOther);
    box.set_claim(33, kOther);
    box.words().hint = 16;  // a publisher stored it late
    Target target = box.target(Overflow::drop_newest);
    Witness witness;
    const Claimed got = claim(target, kMe, witness);
    EXPECT_EQ(got.result, ClaimResult::claimed);
    EXPECT_EQ(got.at, 34u);
    EXPECT_EQ(box.claim(34), box.as_claim(34, kMe));
    EXPECT_EQ(box.words().hint, 35u);
}

TEST(Claiming, a_hint_beyond_every_claim_ends_without_a_slot_and_changes_nothing) {
    PrivateRing box;
    box.words().hint = 16 + 2 * 16;
    Target target = box.target(Overflow::drop_oldest);
    Witness witness;
    EXPECT_EQ(claim(target, kMe, witness).result, ClaimResult::no_slot);
    for (Position p = 0; p < 16; ++p) EXPECT_EQ(box.claim(p), box.as_claim(p, 0));
    EXPECT_EQ(box.words().hint, 48u);
    EXPECT_EQ(box.head(), Head::of(16, 0));
}

TEST(Claiming, answers_full_without_touching_anything_when_the_new_event_is_to_be_dropped) {
    for (const Overflow policy : {Overflow::drop_newest, Overflow::block}) {
        PrivateRing box;
        box.fill(kOther);
        Target target = box.target(policy);
        Witness witness;
        EXPECT_EQ(claim(target, kMe, witness).result, ClaimResult::full);
        EXPECT_EQ(box.claim(32), box.as_claim(16, kOther));
        EXPECT_EQ(box.head(), Head::of(16, 0));
        EXPECT_EQ(box.words().hint, 32u);
        EXPECT_EQ(box.words().evictions, 0u);
        EXPECT_TRUE(witness.asked.empty());
    }
}

TEST(Claiming, a_position_is_free_as_soon_as_head_is_one_past_the_position_a_lap_before) {
    PrivateRing box;
    box.fill(kOther);
    Target target = box.target(Overflow::block);
    Witness witness;
    box.set_head(16);
    EXPECT_EQ(claim(target, kMe, witness).result, ClaimResult::full);
    box.set_head(17);
    EXPECT_EQ(claim(target, kMe, witness).at, 32u);
    EXPECT_EQ(claim(target, kMe, witness).result, ClaimResult::full);
}

TEST(Claiming, reads_head_again_only_when_the_inbox_seems_full) {
    PrivateRing box;
    box.fill(kOther);
    box.set_head(20);
    Target target = box.target(Overflow::drop_newest);
    box.set_head(25);
    Witness witness;
    EXPECT_EQ(claim(target, kMe, witness).at, 32u);
    EXPECT_EQ(target.head, Head::of(20, 0)) << "the known head was past 16: no need to look";
    for (Position p = 33; p < 36; ++p) EXPECT_EQ(claim(target, kMe, witness).at, p);
    EXPECT_EQ(target.head, Head::of(20, 0));
    EXPECT_EQ(claim(target, kMe, witness).at, 36u);
    EXPECT_EQ(target.head, Head::of(25, 0)) << "20 is not past 20: looked again";
}

TEST(Claiming, reads_holding_together_with_head) {
    PrivateRing box;
    box.fill(kOther);
    Target target = box.target(Overflow::drop_newest);
    box.set_head(20);
    box.set_holding(17, 3);
    Witness witness;
    EXPECT_EQ(claim(target, kMe, witness).at, 32u);
    EXPECT_EQ(target.head, Head::of(20, 0));
    EXPECT_EQ(target.holding, Holding::of(17, 3));
}

TEST(Claiming, does_not_read_holding_while_the_known_head_is_past_the_position_a_lap_before) {
    PrivateRing box;
    box.fill(kOther);
    box.set_head(24);
    Target target = box.target(Overflow::drop_oldest);
    box.set_holding(24, 8);  // begins at the known head or later: can't concern the slots before it
    Witness witness;
    for (Position p = 32; p < 40; ++p) EXPECT_EQ(claim(target, kMe, witness).at, p);
    EXPECT_EQ(target.holding, Holding{});
}

TEST(Claiming, replaces_a_doubt_that_was_left_on_a_position_passed_since) {
    PrivateRing box;
    box.fill(kOther);
    box.set_claim(16, kOther, Mark::doubt);
    box.set_head(17);
    Target target = box.target(Overflow::block);
    Witness witness;
    EXPECT_EQ(claim(target, kMe, witness).at, 32u);
    EXPECT_EQ(box.claim(32), box.as_claim(32, kMe));
}

TEST(Claiming, goes_on_over_the_end_of_the_numbers) {
    for (const Overflow policy : {Overflow::drop_oldest, Overflow::drop_newest, Overflow::block}) {
        const Position end = Position{1} << 48;
        PrivateRing box(16, end - 5);
        Target target = box.target(policy);
        Witness witness;
        for (Position i = 0; i < 16; ++i) {
            const Claimed got = claim(target, kMe, witness);
            ASSERT_EQ(got.result, ClaimResult::claimed);
            ASSERT_EQ(got.at, position(end - 5 + i));
            ASSERT_EQ(box.claim(got.at), box.as_claim(got.at, kMe));
            commit(box.ring(), got.at);
        }
        EXPECT_EQ(box.words().hint, 11u);
        if (policy != Overflow::drop_oldest) {
            EXPECT_EQ(claim(target, kMe, witness).result, ClaimResult::full);
        }
        box.set_head(3);
        for (Position p = 11; p < 19; ++p) ASSERT_EQ(claim(target, kMe, witness).at, p);
    }
}

TEST(Claiming, passes_positions_that_others_have_over_the_end_of_the_numbers) {
    const Position end = Position{1} << 48;
    PrivateRing box(16, end - 2);
    for (const Position p : {end - 2, end - 1, Position{0}}) box.set_claim(p, kOther);
    box.set_claim(1, kOther, Mark::revoked);
    Target target = box.target(Overflow::block);
    Witness witness;
    EXPECT_EQ(claim(target, kMe, witness).at, 2u);
    EXPECT_EQ(box.claim(2), box.as_claim(2, kMe));
}

TEST(Claiming, ends_on_any_words) {
    // What a damaged segment may hold: every answer is fine, as long as there is one.
    std::uint64_t random = 0x9e3779b97f4a7c15u;
    const auto next = [&random] {
        random ^= random << 13;
        random ^= random >> 7;
        return random ^= random << 17;
    };
    for (int round = 0; round < 2'000; ++round) {
        PrivateRing box;
        const auto near_positions = [&] { return (next() % 64) << 16 | (next() % 4 == 0 ? next() & 0xffff : next() % 3); };
        for (Position p = 0; p < 16; ++p) {
            box.ring().claim(p) = round % 2 == 0 ? next() : near_positions();
            box.ring().state(p) = round % 2 == 0 ? next() : near_positions();
        }
        box.words().hint = round % 4 < 2 ? next() : next() % 64;
        box.words().head = round % 2 == 0 ? next() : near_positions();
        box.words().holding = next();
        Target target = box.target(static_cast<Overflow>(next() % 3));
        Witness witness;
        if (next() % 2 == 0) witness.dead = {1, 2, 3};
        const Claimed got = claim(target, kMe, witness);
        if (got.result == ClaimResult::claimed) {
            EXPECT_EQ(box.claim(got.at), box.as_claim(got.at, kMe));
        }
    }
}

}  // namespace
}  // namespace swarmbus::test
