// Large events: the room they take, of whom, and what there is when there is none.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process_large.hpp"
#include "tests/support/process_reaping.hpp"
#include "tests/support/process_shared.hpp"
#include "tests/support/process_shm.hpp"

namespace swarmbus::test {
namespace {

TEST(LargeEvent, unread_by_one_leaves_room_for_the_others) {
    for (const Overflow overflow : {Overflow::drop_oldest, Overflow::drop_newest, Overflow::block}) {
        const BusName name;
        Bus publisher(name, with(Overflow::drop_newest, 16, 8 * kMiB));
        Bus stopped = publisher.separate(with(overflow, 1024));
        Bus reader = publisher.separate(with(Overflow::drop_newest, 1024));
        stopped.subscribe("load.*");
        reader.subscribe("load.*");
        for (std::uint64_t i = 0; i < 100; ++i) {
            publisher.publish("load.pinned", payload_of(i, kMiB));
            const auto event = reader.next(0ns);
            ASSERT_TRUE(event.has_value() && *event) << i;
            EXPECT_TRUE(is_whole(*event, i));
        }
        std::uint64_t received = 0, lost = 0;
        for (auto event = stopped.next(0ns); event; event = stopped.next(0ns)) {
            lost += event->lost();
            received += *event ? 1 : 0;
        }
        EXPECT_EQ(received + lost, 100u) << "what it lacks is told";
        EXPECT_GE(received, 2u);
    }
}

TEST(LargeEvent, that_has_no_room_for_what_the_reader_holds_evicts_nothing_for_it) {
    const BusName name;
    Bus publisher(name, with(Overflow::drop_newest, 16, 8 * kMiB));
    Bus reader = publisher.separate(with(Overflow::drop_oldest, 1024));
    reader.subscribe("load.*");
    publisher.publish("load.held", payload_of(1, 5 * kMiB));
    const auto held = reader.next(0ns);
    ASSERT_TRUE(held.has_value() && *held);
    for (int i = 0; i < 500; ++i) publisher.publish("load.small", "");
    EXPECT_FALSE(publisher.publish("load.refused", payload_of(2, kMiB))) << "5 MiB are held, 3 were free";
    EXPECT_TRUE(is_whole(*held, 1));
    std::uint64_t received = 0, full = 0, evicted = 0;
    for (auto event = reader.next(0ns); event; event = reader.next(0ns)) {
        received += *event ? 1 : 0;
        full += event->lost(LossCause::full);
        evicted += event->lost(LossCause::evicted);
    }
    EXPECT_EQ(received, 500u);
    EXPECT_EQ(full, 1u);
    EXPECT_EQ(evicted, 0u);
    EXPECT_TRUE(publisher.publish("load.next", payload_of(3, kMiB))) << "nothing is held any more";
}

TEST(LargeEvent, that_finds_the_arena_full_is_an_error_and_nobody_gets_it) {
    const BusName name;
    Bus bus(name, with(Overflow::drop_newest, 16, 2 * kMiB));
    bus.subscribe("load.*");
    Loan first = bus.loan(kMiB), second = bus.loan(kMiB);
    EXPECT_EQ(error_of([&] { bus.publish("load.more", payload_of(1, 5000)); }), SWB_ERR_ARENA_FULL);
    EXPECT_FALSE(bus.next(0ns).has_value());
    { const Loan given_back = std::move(first); }
    EXPECT_TRUE(bus.publish("load.more", payload_of(1, 5000)));
}

TEST(LargeEvent, that_is_larger_than_the_arena_is_too_large_whether_the_arena_is_there_or_not) {
    const BusName name;
    Bus bus(name, with(Overflow::drop_newest, 16, 2 * kMiB - 1));
    bus.subscribe("load.*");
    const auto result_of = [&](std::size_t bytes) { return error_of([&] { bus.publish("load.huge", payload_of(1, bytes)); }); };
    EXPECT_EQ(result_of(3 * kMiB), SWB_ERR_TOO_LARGE);
    EXPECT_EQ(result_of(2 * kMiB), SWB_OK) << "it has whole pages";
    EXPECT_EQ(result_of(3 * kMiB), SWB_ERR_TOO_LARGE);
    EXPECT_EQ(result_of(2 * kMiB), SWB_ERR_ARENA_FULL) << "which passes, when it is read";
}

TEST(LargeEvent, finds_a_larger_arena_once_another_handle_of_the_process_asked_for_one) {
    const BusName name;
    Bus bus(name, with(Overflow::drop_newest, 16, 2 * kMiB));
    bus.subscribe("load.*");
    EXPECT_TRUE(bus.publish("load.first", payload_of(1, 2 * kMiB)));
    const Bus larger(name, with(Overflow::drop_newest, 16, 8 * kMiB));
    EXPECT_TRUE(bus.publish("load.second", payload_of(2, 3 * kMiB)));
    for (const std::uint64_t number : {1u, 2u}) EXPECT_TRUE(is_whole(bus.next(0ns).value(), number));
}

TEST(LargeEvent, whose_file_is_gone_is_a_loss_that_is_told_and_the_next_has_a_new_one) {
    const BusName name;
    Bus publisher(name), reader(name);
    Bus inbox = reader.separate(with(Overflow::drop_newest));
    inbox.subscribe("load.*");
    publisher.publish("load.removed", payload_of(1, 5000));
    for (const auto& arena : arenas_of(name)) std::filesystem::remove(arena);
    publisher.publish("load.kept", payload_of(2, 5000));
    const auto event = inbox.next(kPatience);
    ASSERT_TRUE(event.has_value() && *event);
    EXPECT_EQ(event->lost(LossCause::damaged), 1u);
    EXPECT_EQ(event->type(), "load.kept");
    EXPECT_TRUE(is_whole(*event, 2));
}

// peers 4: readers of 1 MiB events are killed one by one while 10,000 are published.
TEST(LargeEvent, readers_that_are_killed_keep_no_memory_of_the_publisher) {
    const BusName name;
    constexpr int kReaders = 8;
    constexpr std::uint64_t kEvents = 10'000;
    Bus publisher(name, with(Overflow::drop_newest, 16, 32 * kMiB));
    std::vector<std::unique_ptr<Process>> readers;
    Shared<std::atomic<int>> ready;
    for (int i = 0; i < kReaders; ++i) {
        readers.push_back(std::make_unique<Process>([&] {
            Bus bus(name, with(Overflow::drop_oldest));
            bus.subscribe("load.*");
            ready->fetch_add(1);
            for (;;) bus.next();
        }));
    }
    ASSERT_TRUE(eventually([&] { return ready->load() == kReaders; }));
    const auto payload = payload_of(1, kMiB);
    for (std::uint64_t i = 0; i < kEvents; ++i) {
        ASSERT_NO_THROW(publisher.publish("load.large", payload)) << i;
        if (i % (kEvents / kReaders) == kEvents / kReaders - 1) readers[i / (kEvents / kReaders)]->kill();
    }
    ASSERT_TRUE(attach_and_leave(name));
    EXPECT_NO_THROW(publisher.loan(32 * kMiB)) << "all of the arena is free again";
}

// Whether this user may lock all its memory, with room for what a bus maps.
bool locking_is_allowed() {
    Process tries([] {
        const bool locked = ::mlockall(MCL_FUTURE) == 0;
        const void* at = ::mmap(nullptr, std::size_t{5} << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        ::_exit(locked && at != MAP_FAILED ? 0 : 1);
    });
    return tries.ended_well();
}

TEST(LargeEvent, takes_no_more_memory_in_a_host_that_locks_all_of_its_own) {
    if (!locking_is_allowed()) GTEST_SKIP() << "this user may not lock as much memory (RLIMIT_MEMLOCK)";
    const BusName name;
    Process host([&] {
        require(::mlockall(MCL_FUTURE) == 0, "locking what comes");
        Bus bus(name);
        bus.subscribe("load.*");
        require(bus.publish("load.locked", payload_of(1, kMiB)), "published");
        const auto event = bus.next(0ns);
        require(event.has_value() && is_whole(*event, 1), "and received");
        const auto arenas = arenas_of(name);
        require(arenas.size() == 1, "one arena");
        require(blocks_of(arenas.front()) == kMiB, std::to_string(blocks_of(arenas.front())) + " bytes are taken");
        require(::mlockall(MCL_CURRENT | MCL_FUTURE) == 0, "locking what there is");
        require(blocks_of(arenas.front()) == kMiB, std::to_string(blocks_of(arenas.front())) + " bytes are taken");
    });
    EXPECT_TRUE(host.ended_well());
}

// peers 5
TEST(LargeEvent, that_does_not_fit_in_dev_shm_is_an_error_that_says_what_there_is) {
    if (!private_shm_is_allowed()) GTEST_SKIP() << "this user may not mount a /dev/shm of its own";
    Process alone([] {
        enter_private_shm("tmpfs", "size=16m");
        const BusName name;
        Bus bus(name);
        bus.subscribe("load.*");
        try {
            bus.publish("load.huge", payload_of(1, 64 * kMiB));
            require(false, "64 MiB fit in 16");
        } catch (const Error& e) {
            require(e.code() == SWB_ERR_NO_SPACE, e.what());
            require(
                std::string(e.what()).find("64.0 MiB") != std::string::npos && std::string(e.what()).find("is free") != std::string::npos,
                e.what());
        }
        require(bus.publish("load.small", payload_of(2, 5000)), "less is published");
        require(bus.next(0ns).has_value(), "and received");
    });
    EXPECT_TRUE(alone.ended_well());
}

TEST(LargeEvent, that_is_refused_leaves_dev_shm_as_it_was_for_others) {
    if (!private_shm_is_allowed()) GTEST_SKIP() << "this user may not mount a /dev/shm of its own";
    Process alone([] {
        enter_private_shm("tmpfs", "size=16m");
        const BusName name;
        Bus bus(name);
        bus.subscribe("load.*");
        require(bus.publish("load.kept", payload_of(1, 4 * kMiB)), "4 MiB are published");
        require(bus.next(0ns).has_value(), "and received; their memory is kept for the next");
        bus.release();
        const auto taken = [&] {
            const auto arenas = arenas_of(name);
            require(arenas.size() == 1, "one arena");
            return blocks_of(arenas.front());
        };
        require(taken() == 4 * kMiB, "4 MiB are taken");
        require(error_of([&] { bus.publish("load.huge", payload_of(2, 64 * kMiB)); }) == SWB_ERR_NO_SPACE, "64 MiB fit in 16");
        require(taken() == 0, std::to_string(taken()) + " bytes stay taken by what was refused");
        const BusName another;
        const Bus other(another);                // 3 MiB that fit only if the others were given back
        for (std::uint64_t i = 0; i < 3; ++i) {  // what had memory before has it again: no SIGBUS
            require(bus.publish("load.again", payload_of(i, 4 * kMiB)), "4 MiB are published again");
            require(is_whole(bus.next(0ns).value(), i), "and whole");
        }
    });
    EXPECT_TRUE(alone.ended_well());
}

}  // namespace
}  // namespace swarmbus::test
