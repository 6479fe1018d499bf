// Taking, opening and freeing inboxes, and whom a writer that is still inside keeps waiting.
#include <gtest/gtest.h>

#include <algorithm>

#include "src/error.hpp"
#include "src/life/inbox_table.hpp"
#include "src/routing/routes.hpp"
#include "src/routing/type_table.hpp"
#include "src/words/table_words.hpp"
#include "src/words/waking_words.hpp"
#include "tests/unit/private_segment.hpp"

namespace swarmbus::test {
namespace {

constexpr std::uint64_t kBlock16 = 8192;  // patterns, and 16 slots of 64 bytes with their claims

class InboxTable : public testing::Test {
protected:
    std::uint32_t take(std::uint32_t capacity = 16, Overflow policy = Overflow::drop_oldest) {
        return take_inbox(*bus, {2, 5}, capacity, policy);
    }
    std::uint32_t open_one(std::uint32_t capacity = 16) {
        const std::uint32_t inbox = take(capacity);
        write_patterns(*bus, inbox, {"*"});
        activate_inbox(*bus, inbox);
        return inbox;
    }
    // As a publisher that is inside an inbox leaves its line.
    void enter(std::uint32_t writer, std::uint32_t place, std::uint32_t inbox) {
        bus->header().next_writer = SWB_WRITERS;  // as if all had been leased once
        bus->writer(writer).lease = Lease::of(1, 1, 1).raw;
        bus->writer(writer).in_inbox[place] = inbox + 1;
    }
    void leave(std::uint32_t writer, std::uint32_t place) { bus->writer(writer).in_inbox[place] = 0; }

    PrivateSegment bus;
};

TEST_F(InboxTable, takes_the_first_free_index_and_says_whose_it_is) {
    EXPECT_EQ(take(32, Overflow::block), 0u);
    const swb_l_subscriber& entry = bus->subscriber(0);
    EXPECT_EQ(entry.participant, 2u);
    EXPECT_EQ(entry.participant_generation, 5u);
    EXPECT_EQ(entry.capacity, 32u);
    EXPECT_EQ(entry.policy, static_cast<std::uint32_t>(SWB_BLOCK));
    EXPECT_EQ(entry.block_at, 0u);
    EXPECT_EQ(entry.block_bytes, block_bytes(32, 64));
    EXPECT_EQ(bus.gate(0).status(), SWB_GATE_TAKING) << "nobody publishes there yet";
    EXPECT_EQ(take(), 1u);
}

TEST_F(InboxTable, opens_an_inbox_under_the_next_generation) {
    const Gate before = bus.gate(0);
    open_one();
    EXPECT_EQ(bus.gate(0), Gate::of(before.generation() + 1, SWB_GATE_ACTIVE));
    free_inbox(*bus, 0);
    EXPECT_EQ(bus.gate(0), Gate::of(before.generation() + 1, SWB_GATE_FREE));
    open_one();
    EXPECT_EQ(bus.gate(0), Gate::of(before.generation() + 2, SWB_GATE_ACTIVE));
}

TEST_F(InboxTable, gives_each_new_owner_an_empty_inbox) {
    open_one(32);
    swb_l_inbox& words = bus->inbox(0);
    std::byte* block = bus->open_block(bus->subscriber(0).block_at, bus->subscriber(0).block_bytes);
    std::memset(block, 0xff, bus->subscriber(0).block_bytes);
    words.hint = words.head = words.holding = words.evictions = words.dropped = 99;
    words.dropped_full = words.dropped_timeout = words.dropped_self = words.dropped_no_slot = 99;
    free_inbox(*bus, 0);
    ASSERT_EQ(take(32), 0u);
    EXPECT_EQ(words.hint, 32u);
    EXPECT_EQ(words.head, Head::of(32, 0).raw);
    for (const std::uint64_t word : {words.holding, words.evictions, words.dropped, words.dropped_full, words.dropped_timeout,
                                     words.dropped_self, words.dropped_no_slot}) {
        EXPECT_EQ(word, 0u);
    }
    EXPECT_TRUE(std::all_of(block, block + bus->subscriber(0).block_bytes, [](std::byte b) { return b == std::byte{0}; }));
}

TEST_F(InboxTable, gives_each_new_owner_a_wake_word_that_says_awake) {
    // Its last owner may have been killed while it slept. Announcing sleep on top of that would make
    // a mode that publishers do not know, and nobody would wake the new owner.
    bus->inbox(0).wake = words::kAsleep + 8 * words::kWakeStep;
    open_one();
    EXPECT_FALSE(words::reader_rests(words::load_wake(bus->inbox(0))));
    words::announce_sleep(bus->inbox(0));
    EXPECT_TRUE(words::reader_rests(words::load_wake(bus->inbox(0))));
}

TEST_F(InboxTable, takes_memory_for_an_inbox_and_gives_it_back) {
    const std::uint64_t before = bus.resident_bytes();
    open_one(1024);
    EXPECT_EQ(bus.resident_bytes(), before + block_bytes(1024, 64));
    free_inbox(*bus, 0);
    EXPECT_EQ(bus.resident_bytes(), before);
    EXPECT_EQ(bus->subscriber(0).block_bytes, 0u);
}

TEST_F(InboxTable, cuts_blocks_from_the_first_gap_that_is_large_enough) {
    const auto at = [this](std::uint32_t inbox) { return bus->subscriber(inbox).block_at; };
    for (std::uint32_t inbox = 0; inbox < 4; ++inbox) ASSERT_EQ(open_one(), inbox);
    for (std::uint32_t inbox = 0; inbox < 4; ++inbox) EXPECT_EQ(at(inbox), inbox * kBlock16) << "back to back";
    free_inbox(*bus, 1);
    ASSERT_EQ(open_one(256), 1u);
    EXPECT_EQ(at(1), 4 * kBlock16) << "the gap is too small for it";
    ASSERT_EQ(open_one(), 4u);
    EXPECT_EQ(at(4), kBlock16) << "and just right for that";
    free_inbox(*bus, 0);
    free_inbox(*bus, 4);
    ASSERT_EQ(open_one(64), 0u);
    EXPECT_EQ(at(0), 0u) << "two gaps side by side are one";
    EXPECT_EQ(bus->subscriber(0).block_bytes, block_bytes(64, 64));
    EXPECT_LE(bus->subscriber(0).block_bytes, 2 * kBlock16);
}

TEST_F(InboxTable, refuses_when_no_gap_is_large_enough_and_changes_nothing) {
    open_one(4096);
    open_one(4096);
    const std::uint64_t before = bus.resident_bytes();
    try {
        take(8192);
        FAIL() << "not refused";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), SWB_ERR_NO_SPACE);
    }
    EXPECT_EQ(bus.gate(2).status(), SWB_GATE_FREE);
    EXPECT_EQ(bus->subscriber(2).block_bytes, 0u);
    EXPECT_EQ(bus.resident_bytes(), before);
    EXPECT_THROW(take(65536), Error) << "more than the whole region";
    EXPECT_EQ(open_one(), 2u);
}

TEST_F(InboxTable, refuses_when_every_index_is_taken) {
    const PrivateSegment small({4, 2, 8, 64, 16, 1 << 20});
    for (const std::uint32_t expected : {0u, 1u}) EXPECT_EQ(take_inbox(*small, {0, 1}, 16, Overflow::block), expected);
    try {
        take_inbox(*small, {0, 1}, 16, Overflow::block);
        FAIL() << "not refused";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), SWB_ERR_SUBSCRIBERS_FULL);
    }
}

TEST_F(InboxTable, frees_an_inbox_from_every_route_and_tells_publishers_that_wait_there) {
    open_one();
    open_one();
    enter_type(*bus, "agent.created");
    EXPECT_TRUE(bus.routed(0, 0));
    const std::uint32_t announced = words::announce_wait(bus->inbox(0));
    free_inbox(*bus, 0);
    EXPECT_FALSE(bus.routed(0, 0));
    EXPECT_TRUE(bus.routed(0, 1));
    EXPECT_NE(bus->inbox(0).room, announced);
    EXPECT_EQ(bus->inbox(0).room & words::kWaitedFor, 0u);
}

TEST_F(InboxTable, keeps_a_freed_inbox_and_its_memory_while_a_writer_is_inside) {
    open_one();
    open_one();
    const std::uint64_t before = bus.resident_bytes();
    enter(5, 3, 0);
    free_inbox(*bus, 0);
    EXPECT_EQ(bus.gate(0).status(), SWB_GATE_FREED);
    EXPECT_EQ(bus.resident_bytes(), before) << "it may still write there";
    EXPECT_EQ(take(), 2u) << "others take another index";
    EXPECT_GE(bus->subscriber(2).block_at, 2 * kBlock16) << "and another place";
    leave(5, 3);
    EXPECT_EQ(take(), 0u) << "reused as soon as nobody is inside";
}

TEST_F(InboxTable, lets_the_next_who_frees_give_back_what_a_writer_kept) {
    open_one();
    open_one();
    enter(4095, 15, 0);
    free_inbox(*bus, 0);
    EXPECT_EQ(bus.gate(0).status(), SWB_GATE_FREED);
    leave(4095, 15);
    free_inbox(*bus, 1);
    EXPECT_EQ(bus.gate(0).status(), SWB_GATE_FREE);
    EXPECT_EQ(bus.gate(1).status(), SWB_GATE_FREE);
}

TEST_F(InboxTable, a_stopped_writer_costs_the_inboxes_it_is_in_and_no_others) {
    for (std::uint32_t inbox = 0; inbox < 3; ++inbox) open_one();
    enter(7, 0, 1);
    for (std::uint32_t inbox = 0; inbox < 3; ++inbox) free_inbox(*bus, inbox);
    EXPECT_EQ(bus.gate(0).status(), SWB_GATE_FREE);
    EXPECT_EQ(bus.gate(1).status(), SWB_GATE_FREED);
    EXPECT_EQ(bus.gate(2).status(), SWB_GATE_FREE);
}

TEST_F(InboxTable, is_not_misled_by_a_writer_line_that_names_what_does_not_exist) {
    open_one();
    bus->writer(3).lease = Lease::of(1, 1, 1).raw;
    bus->writer(3).in_inbox[0] = 131;
    bus->writer(3).in_inbox[1] = 0xffffffff;
    free_inbox(*bus, 0);
    EXPECT_EQ(bus.gate(0).status(), SWB_GATE_FREE);
}

TEST_F(InboxTable, finishes_what_a_dead_taker_left_half_done) {
    open_one();
    const std::uint64_t before = bus.resident_bytes();
    ASSERT_EQ(take(), 1u);  // died before it opened it
    ASSERT_EQ(take(), 2u);
    ASSERT_EQ(open_one(), 3u);
    enter(9, 0, 3);
    free_inbox(*bus, 3);
    ASSERT_EQ(bus.gate(3).status(), SWB_GATE_FREED);
    bus->inbox(2).gate = bus.gate(2).with(SWB_GATE_FREE).raw;  // died between FREE and giving the block back
    finish_inbox_table(*bus);
    EXPECT_EQ(bus.gate(0).status(), SWB_GATE_ACTIVE);
    EXPECT_EQ(bus.gate(1).status(), SWB_GATE_FREE);
    EXPECT_EQ(bus.gate(2).status(), SWB_GATE_FREE);
    EXPECT_EQ(bus.gate(3).status(), SWB_GATE_FREED) << "a writer is inside";
    EXPECT_EQ(bus->subscriber(1).block_bytes, 0u);
    EXPECT_EQ(bus->subscriber(2).block_bytes, 0u);
    EXPECT_EQ(bus.resident_bytes(), before + kBlock16);
}

}  // namespace
}  // namespace swarmbus::test
