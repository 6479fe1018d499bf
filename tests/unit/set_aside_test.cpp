// Slots a publisher must not write: set aside for a stalled writer, or held by the reader.
#include <gtest/gtest.h>

#include "tests/unit/private_ring.hpp"

namespace swarmbus::test {
namespace {

constexpr std::uint32_t kMe = 9;
constexpr std::uint32_t kOther = 7;
constexpr std::uint32_t kStalled = 5;

TEST(SetAside, a_slot_is_passed_with_the_mark_kept_for_the_same_writer) {
    PrivateRing box;
    box.fill(kOther);
    box.set_head(20);
    box.set_claim(16, kStalled, Mark::revoked);
    Target target = box.target(Overflow::block);
    Witness witness;
    const Claimed got = claim(target, kMe, witness);
    EXPECT_EQ(got.at, 33u);
    EXPECT_EQ(box.claim(32), box.as_claim(32, kStalled, Mark::revoked));
    EXPECT_EQ(box.claim(33), box.as_claim(33, kMe));
    EXPECT_EQ(box.state(32), State::of(16, Status::ready)) << "its writer alone may write there";
    EXPECT_EQ(box.words().hint, 34u);
}

TEST(SetAside, a_slot_stays_so_lap_after_lap_until_it_is_given_back) {
    PrivateRing box;
    box.set_claim(16, kStalled, Mark::revoked);
    box.words().hint = 17;
    box.set_head(17);
    Witness witness;
    const auto publish_a_lap = [&](Position first, Position last) {
        for (Position p = first; p <= last; ++p) {
            Target target = box.target(Overflow::drop_oldest);
            const Claimed got = claim(target, kMe, witness);
            ASSERT_EQ(got.at, p);
            commit(box.ring(), p);
        }
    };
    publish_a_lap(17, 31);
    publish_a_lap(33, 47);
    publish_a_lap(49, 63);
    EXPECT_EQ(box.claim(48), box.as_claim(48, kStalled, Mark::revoked));
    // The stalled writer wakes up.
    commit(box.ring(), 16);
    EXPECT_FALSE(settle(box.ring(), 16, kStalled));
    publish_a_lap(64, 80);
}

TEST(SetAside, a_slot_is_only_passed_once_head_is_past_it) {
    PrivateRing box;
    box.fill(kOther);
    box.set_claim(16, kStalled, Mark::revoked);
    Target target = box.target(Overflow::block);
    Witness witness;
    EXPECT_EQ(claim(target, kMe, witness).result, ClaimResult::full);
    EXPECT_EQ(box.claim(16), box.as_claim(16, kStalled, Mark::revoked));
}

TEST(Held, a_slot_is_passed_with_SKIP_and_its_event_untouched) {
    PrivateRing box;
    box.fill(kOther);
    box.set_head(18);
    box.set_holding(16, 2);
    Target target = box.target(Overflow::drop_oldest);
    Witness witness;
    const Claimed got = claim(target, kMe, witness);
    EXPECT_EQ(got.at, 34u);
    for (const Position p : {Position{32}, Position{33}}) {
        EXPECT_EQ(box.claim(p), box.as_claim(p, kMe));
        EXPECT_TRUE(box.skip(p));
        EXPECT_EQ(box.value(p), p - 16) << "the reader still looks at that event";
    }
    EXPECT_EQ(box.words().hint, 35u);
    EXPECT_EQ(box.head(), Head::of(19, 1)) << "18 made room for 34; nobody lost what is held";
}

TEST(Held, slots_are_compared_not_positions) {
    // A publisher two laps later must not write over the event either.
    PrivateRing box;
    box.fill(kOther);
    box.set_holding(18, 2);
    for (Position p = 32; p < 48; ++p) box.put_ready(p, kOther);
    box.set_value(34, 18);
    box.set_value(35, 19);
    box.set_state(34, Status::skip);
    box.set_state(35, Status::skip);
    box.words().hint = 48;
    box.set_head(48);
    Target target = box.target(Overflow::drop_oldest);
    Witness witness;
    for (const Position p : {48, 49, 52}) EXPECT_EQ(claim(target, kMe, witness).at, p);
    EXPECT_TRUE(box.skip(50));
    EXPECT_TRUE(box.skip(51));
    EXPECT_EQ(box.value(50), 18u);
    EXPECT_EQ(box.value(51), 19u);
}

TEST(Held, holding_may_reach_over_the_end_of_the_slots) {
    PrivateRing box;
    box.fill(kOther);
    for (Position p = 32; p < 46; ++p) box.put_ready(p, kOther);
    box.words().hint = 46;
    box.set_head(34);
    box.set_holding(30, 4);  // slots 14, 15, 0 and 1
    Target target = box.target(Overflow::drop_oldest);
    Witness witness;
    const Claimed got = claim(target, kMe, witness);
    EXPECT_EQ(got.at, 50u);
    for (Position p = 46; p < 50; ++p) EXPECT_TRUE(box.skip(p)) << p;
}

TEST(Held, a_slot_is_written_again_once_the_reader_has_let_go_of_it) {
    PrivateRing box;
    box.fill(kOther);
    box.set_head(18);
    box.set_holding(16, 2);
    Target target = box.target(Overflow::drop_oldest);
    box.set_holding(0, 0);
    Witness witness;
    EXPECT_EQ(claim(target, kMe, witness).at, 32u) << "what was known of holding is looked at again before a slot is skipped";
    EXPECT_EQ(box.claim(32), box.as_claim(32, kMe));
    EXPECT_TRUE(box.ready(16));
}

TEST(Held, a_doubt_about_a_skipped_position_is_settled) {
    // Reached when the reader suspects us between the claim and the SKIP; the claim of the skipped
    // position must end OWNED, or the slot would be lost with us.
    PrivateRing box;
    box.set_claim(16, kMe, Mark::doubt);
    box.set_state(16, Status::skip);
    EXPECT_TRUE(settle(box.ring(), 16, kMe));
    EXPECT_EQ(box.claim(16), box.as_claim(16, kMe));
}

TEST(OnceAround, without_a_slot_to_be_had_ends_and_uses_a_bounded_number_of_positions) {
    for (const std::uint32_t capacity : {16u, 64u}) {
        PrivateRing box(capacity);
        box.fill(kOther);
        const Position first = 2 * capacity;
        for (Position p = capacity; p < capacity + capacity / 2; ++p) box.set_claim(p, kStalled, Mark::revoked);
        box.set_head(first);
        box.set_holding(capacity + capacity / 2, static_cast<std::uint16_t>(capacity / 2));
        Target target = box.target(Overflow::drop_oldest);
        Witness witness;
        EXPECT_EQ(claim(target, kMe, witness).result, ClaimResult::no_slot);
        EXPECT_GE(box.words().hint, first + capacity);
        EXPECT_LE(box.words().hint, first + capacity + 1);
        for (Position p = first; p < first + capacity / 2; ++p) {
            EXPECT_EQ(box.claim(p).writer(), kStalled);
            EXPECT_EQ(box.claim(p).mark(), Mark::revoked);
        }
        for (Position p = first + capacity / 2; p < first + capacity; ++p) {
            EXPECT_TRUE(box.skip(p)) << p;
            EXPECT_EQ(box.value(p), p - capacity) << p;
        }
        EXPECT_EQ(box.words().evictions, 0u);
    }
}

TEST(OnceAround, counts_within_one_publish_only) {
    PrivateRing box;
    box.fill(kOther);
    for (Position p = 17; p < 32; ++p) box.set_claim(p, kStalled, Mark::revoked);
    box.set_head(32);
    Witness witness;
    // One slot of 16 can be had: each publish passes the 15 others, and none gives up.
    for (Position p = 32; p < 32 + 8 * 16; p += 16) {
        Target target = box.target(Overflow::drop_oldest);
        const Claimed got = claim(target, kMe, witness);
        ASSERT_EQ(got.result, ClaimResult::claimed);
        ASSERT_EQ(got.at, p);
        commit(box.ring(), p);
    }
    EXPECT_EQ(box.words().evictions, 7u);
}

TEST(OnceAround, ends_as_full_in_an_inbox_whose_head_only_the_reader_moves) {
    PrivateRing box;
    box.fill(kOther);
    for (Position p = 16; p < 32; ++p) box.set_claim(p, kStalled, Mark::revoked);
    box.set_head(32);
    Target target = box.target(Overflow::drop_newest);
    Witness witness;
    EXPECT_EQ(claim(target, kMe, witness).result, ClaimResult::full);
    EXPECT_EQ(box.words().hint, 48u);
}

}  // namespace
}  // namespace swarmbus::test
