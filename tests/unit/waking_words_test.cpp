// The words that processes sleep on: the reader's wake word, the publishers' room word.
#include <gtest/gtest.h>

#include "src/words/waking_words.hpp"

namespace swarmbus::core::words {
namespace {

TEST(WakeWord, says_whether_the_reader_sleeps) {
    swb_l_inbox inbox{};
    EXPECT_FALSE(reader_rests(load_wake(inbox)));
    announce_sleep(inbox);
    EXPECT_TRUE(reader_rests(load_wake(inbox)));
    withdraw_sleep(inbox);
    EXPECT_FALSE(reader_rests(load_wake(inbox)));
}

TEST(WakeWord, is_what_was_announced_until_somebody_changes_it) {
    swb_l_inbox inbox{};
    const std::uint32_t announced = announce_sleep(inbox);
    EXPECT_EQ(inbox.wake, announced) << "the reader sleeps on this value";
    bump_wake(inbox);
    EXPECT_NE(inbox.wake, announced) << "a reader that has not fallen asleep yet does not";
}

TEST(WakeWord, is_another_one_for_each_announcement) {
    swb_l_inbox inbox{};
    const std::uint32_t first = announce_sleep(inbox);
    withdraw_sleep(inbox);
    EXPECT_NE(announce_sleep(inbox), first);
}

TEST(WakeWord, still_shows_the_sleeper_after_a_publisher_bumped_it) {
    // It may die before its FUTEX_WAKE: the next publisher must not take the reader for awake.
    swb_l_inbox inbox{};
    announce_sleep(inbox);
    bump_wake(inbox);
    bump_wake(inbox);
    EXPECT_TRUE(reader_rests(load_wake(inbox)));
    withdraw_sleep(inbox);
    EXPECT_FALSE(reader_rests(load_wake(inbox)));
}

TEST(WakeWord, counts_over_its_end) {
    swb_l_inbox inbox{};
    inbox.wake = 0xfffffffcu;
    const std::uint32_t announced = announce_sleep(inbox);
    EXPECT_EQ(announced, kAsleep);
    EXPECT_EQ(inbox.wake, announced);
    EXPECT_TRUE(reader_rests(load_wake(inbox)));
}

TEST(RoomWord, is_left_alone_when_nobody_waits) {
    swb_l_inbox inbox{};
    inbox.room = 8;
    EXPECT_FALSE(take_waiters(inbox));
    EXPECT_EQ(inbox.room, 8u);
}

TEST(RoomWord, is_what_was_announced_until_there_is_room) {
    swb_l_inbox inbox{};
    inbox.room = 8;
    const std::uint32_t announced = announce_wait(inbox);
    EXPECT_EQ(inbox.room, announced);
    EXPECT_EQ(announce_wait(inbox), announced) << "a second one waits for the same word";
    EXPECT_TRUE(take_waiters(inbox));
    EXPECT_NE(inbox.room, announced);
    EXPECT_EQ(inbox.room & kWaitedFor, 0u);
    EXPECT_FALSE(take_waiters(inbox)) << "told once";
}

TEST(RoomWord, never_has_the_same_value_again_for_the_next_who_waits) {
    swb_l_inbox inbox{};
    const std::uint32_t first = announce_wait(inbox);
    take_waiters(inbox);
    EXPECT_NE(announce_wait(inbox), first);
}

}  // namespace
}  // namespace swarmbus::core::words
