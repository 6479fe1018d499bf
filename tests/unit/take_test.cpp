// The reader takes what is ready and gives it back.
#include <gtest/gtest.h>

#include "src/words/waking_words.hpp"
#include "tests/unit/private_ring.hpp"

namespace swarmbus::test {
namespace {

constexpr std::uint32_t kWriter = 7;
constexpr std::uint64_t kStallNs = 50;
constexpr Overflow kPolicies[] = {Overflow::drop_oldest, Overflow::drop_newest, Overflow::block};

struct Box : PrivateRing {
    explicit Box(Overflow policy, std::uint32_t capacity = 16) : PrivateRing(capacity), reader(ring(), policy, kStallNs) {}
    InboxReader reader;
};

void expect_taken(InboxReader::Taken taken, Position first, std::uint32_t count) {
    EXPECT_EQ(taken.count, count);
    if (count > 0) {
        EXPECT_EQ(taken.first, first);
    }
}

TEST(Taking, finds_nothing_in_a_fresh_inbox) {
    for (const Overflow policy : kPolicies) {
        Box box(policy);
        expect_taken(box.reader.take(8), 0, 0);
        EXPECT_FALSE(box.reader.holds_events());
        EXPECT_EQ(box.head(), Head::of(16, 0));
    }
}

TEST(Taking, gives_consecutive_events_up_to_what_was_asked_for) {
    for (const Overflow policy : kPolicies) {
        Box box(policy);
        for (Position p = 16; p < 21; ++p) box.put_ready(p, kWriter);
        expect_taken(box.reader.take(3), 16, 3);
        EXPECT_TRUE(box.reader.holds_events());
        expect_taken(box.reader.take(1), 19, 1);
        expect_taken(box.reader.take(8), 20, 1);
        expect_taken(box.reader.take(8), 0, 0);
    }
}

TEST(Taking, never_gives_more_than_half_the_inbox) {
    for (const Overflow policy : kPolicies) {
        Box box(policy);
        box.fill(kWriter);
        expect_taken(box.reader.take(1000), 16, 8);
        expect_taken(box.reader.take(9), 24, 8);
        expect_taken(box.reader.take(9), 0, 0);
    }
}

TEST(Taking, stops_in_front_of_an_event_that_is_not_ready) {
    for (const Overflow policy : kPolicies) {
        Box box(policy);
        box.put_ready(16, kWriter);
        box.set_claim(17, kWriter);
        box.put_ready(18, kWriter);
        expect_taken(box.reader.take(8), 16, 1);
        expect_taken(box.reader.take(8), 0, 0);
        EXPECT_EQ(box.head(), Head::of(17, 0));
    }
}

TEST(Taking, passes_skipped_positions) {
    for (const Overflow policy : kPolicies) {
        Box box(policy);
        for (Position p = 16; p < 21; ++p) box.put_ready(p, kWriter);
        for (const Position p : {Position{16}, Position{17}, Position{19}}) box.set_state(p, Status::skip);
        expect_taken(box.reader.take(8), 18, 1);
        expect_taken(box.reader.take(8), 20, 1);
        expect_taken(box.reader.take(8), 0, 0);
        EXPECT_EQ(box.head(), Head::of(21, 0));
    }
}

TEST(Taking, goes_on_over_the_end_of_the_numbers) {
    for (const Overflow policy : kPolicies) {
        const Position end = Position{1} << 48;
        PrivateRing box(16, end - 3);
        InboxReader reader(box.ring(), policy, kStallNs);
        for (Position i = 0; i < 8; ++i) box.put_ready(position(end - 3 + i), kWriter);
        expect_taken(reader.take(4), end - 3, 4);
        expect_taken(reader.take(8), 1, 4);
        expect_taken(reader.take(8), 0, 0);
        EXPECT_EQ(box.head(), Head::of(5, 0));
    }
}

TEST(TakingFromDropOldest, protects_the_events_by_holding_and_moves_head_at_once) {
    Box box(Overflow::drop_oldest);
    for (Position p = 16; p < 20; ++p) box.put_ready(p, kWriter);
    box.set_head(16, 5);
    box.reader.take(3);
    EXPECT_EQ(box.holding(), Holding::of(16, 3));
    EXPECT_EQ(box.head(), Head::of(19, 5)) << "the count of evictions stays";
    box.reader.release();
    EXPECT_EQ(box.holding(), Holding{});
    EXPECT_EQ(box.head(), Head::of(19, 5));
    EXPECT_FALSE(box.reader.holds_events());
}

TEST(TakingFromDropOldest, holds_only_the_newest_take) {
    Box box(Overflow::drop_oldest);
    for (Position p = 16; p < 20; ++p) box.put_ready(p, kWriter);
    box.reader.take(2);
    box.reader.take(1);
    EXPECT_EQ(box.holding(), Holding::of(18, 1));
}

TEST(TakingFromDropOldest, lets_go_when_nothing_is_ready) {
    Box box(Overflow::drop_oldest);
    box.put_ready(16, kWriter);
    box.reader.take(1);
    box.reader.take(1);
    EXPECT_EQ(box.holding(), Holding{});
}

TEST(TakingFromDropOldest, leaves_the_room_word_alone) {
    Box box(Overflow::drop_oldest);
    box.put_ready(16, kWriter);
    box.set_claim(17, kWriter);
    box.set_state(17, Status::skip);
    const std::uint32_t announced = words::announce_wait(box.words());
    box.reader.take(1);
    box.reader.take(1);
    EXPECT_EQ(box.words().room, announced);
}

TEST(TakingFromBlockOrDropNewest, keeps_head_until_the_events_are_given_back) {
    for (const Overflow policy : {Overflow::drop_newest, Overflow::block}) {
        Box box(policy);
        for (Position p = 16; p < 20; ++p) box.put_ready(p, kWriter);
        box.reader.take(3);
        EXPECT_EQ(box.head(), Head::of(16, 0));
        EXPECT_EQ(box.holding(), Holding{});
        box.reader.release();
        EXPECT_EQ(box.head(), Head::of(19, 0));
        box.reader.release();
        EXPECT_EQ(box.head(), Head::of(19, 0)) << "given back once only";
    }
}

TEST(TakingFromBlockOrDropNewest, gives_back_the_last_take_before_the_next) {
    for (const Overflow policy : {Overflow::drop_newest, Overflow::block}) {
        Box box(policy);
        for (Position p = 16; p < 20; ++p) box.put_ready(p, kWriter);
        expect_taken(box.reader.take(3), 16, 3);
        expect_taken(box.reader.take(3), 19, 1);
        EXPECT_EQ(box.head(), Head::of(19, 0));
        expect_taken(box.reader.take(3), 0, 0);
        EXPECT_EQ(box.head(), Head::of(20, 0));
    }
}

TEST(TakingFromBlock, clears_the_flag_of_waiting_publishers_and_counts_when_head_moves) {
    Box box(Overflow::block);
    for (Position p = 16; p < 20; ++p) box.put_ready(p, kWriter);
    const std::uint32_t announced = words::announce_wait(box.words());
    box.reader.take(2);
    EXPECT_EQ(box.words().room, announced) << "no room yet";
    box.reader.release();
    EXPECT_EQ(box.words().room, (announced & ~words::kWaitedFor) + words::kRoomStep);
}

TEST(TakingFromBlock, tells_waiting_publishers_of_skipped_positions_too) {
    Box box(Overflow::block);
    box.set_claim(16, kWriter);
    box.set_state(16, Status::skip);
    const std::uint32_t announced = words::announce_wait(box.words());
    box.reader.take(1);
    EXPECT_EQ(box.words().room, (announced & ~words::kWaitedFor) + words::kRoomStep);
}

TEST(TakingFromBlock, leaves_the_room_word_alone_when_nobody_waits) {
    Box box(Overflow::block);
    box.put_ready(16, kWriter);
    box.words().room = 6;
    box.reader.take(1);
    box.reader.release();
    EXPECT_EQ(box.words().room, 6u);
}

TEST(TakingFromDropNewest, leaves_the_room_word_alone) {
    Box box(Overflow::drop_newest);
    box.put_ready(16, kWriter);
    const std::uint32_t announced = words::announce_wait(box.words());
    box.reader.take(1);
    box.reader.release();
    EXPECT_EQ(box.words().room, announced);
}

}  // namespace
}  // namespace swarmbus::test
