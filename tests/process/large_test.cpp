// Large events: payloads in their publisher's arena.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "src/segment/layout.h"
#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"
#include "tests/support/process_shared.hpp"
#include "tests/support/process_shm.hpp"

namespace swarmbus::test {
namespace {

constexpr std::size_t kMiB = 1 << 20;

// A payload that tells its own number and whether it is whole.
std::vector<std::byte> payload_of(std::uint64_t number, std::size_t bytes) {
    std::vector<std::byte> payload(bytes);
    for (std::size_t i = 0; i + 8 <= bytes; i += 8) {
        const std::uint64_t word = number * 0x9e3779b97f4a7c15ull + i;
        std::memcpy(payload.data() + i, &word, 8);
    }
    return payload;
}

bool is_whole(const Event& event, std::uint64_t number) {
    const std::vector<std::byte> expected = payload_of(number, event.payload().size());
    return std::equal(expected.begin(), expected.end(), event.payload().begin());
}

Options with(Overflow overflow, std::uint32_t capacity = 16, std::uint64_t arena = 0) {
    Options options;
    options.overflow = overflow;
    options.capacity_slots = capacity;
    options.block_timeout = 0ns;
    options.arena_bytes = arena;
    return options;
}

// The files of arenas beside a bus.
std::vector<std::filesystem::path> arenas_of(const BusName& name) {
    swb_l_header header{};
    std::ifstream(name.path(), std::ios::binary).read(reinterpret_cast<char*>(&header), sizeof header);
    char directory[64];
    std::snprintf(directory, sizeof directory, "/dev/shm/swarmbus-with.%016lx", static_cast<unsigned long>(header.bus_id));
    std::vector<std::filesystem::path> found;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(directory, none)) found.push_back(entry.path());
    return found;
}

// Memory that a file takes.
std::uint64_t blocks_of(const std::filesystem::path& file) {
    struct stat st {};
    require(::stat(file.c_str(), &st) == 0, "looking at " + file.string());
    return static_cast<std::uint64_t>(st.st_blocks) * 512;
}

// Another process comes, and goes.
void reap(const BusName& name) {
    Process other([&] { const Bus bus(name); });
    EXPECT_TRUE(other.ended_well());
}

template <typename Call>
swb_result error_of(Call&& call) {
    try {
        call();
    } catch (const Error& e) {
        return e.code();
    }
    return SWB_OK;
}

TEST(LargeEvent, carries_every_size_from_nothing_to_64_mebibytes) {
    const BusName name;
    Bus publisher(name), reader(name);
    Bus inbox = reader.separate(with(Overflow::drop_newest));
    inbox.subscribe("load.*");
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{216}, std::size_t{217}, std::size_t{224}, std::size_t{256},
                                    std::size_t{4096}, std::size_t{4097}, std::size_t{65536}, kMiB + 1, 64 * kMiB}) {
        EXPECT_TRUE(publisher.publish("load.sized", payload_of(bytes, bytes))) << bytes;
        const auto event = inbox.next(kPatience);
        ASSERT_TRUE(event.has_value()) << bytes;
        EXPECT_EQ(event->payload().size(), bytes);
        EXPECT_TRUE(is_whole(*event, bytes)) << bytes;
    }
    EXPECT_EQ(error_of([&] { publisher.publish("load.sized", payload_of(1, 64 * kMiB + 1)); }), SWB_ERR_TOO_LARGE);
}

TEST(LargeEvent, keeps_subject_and_source) {
    const BusName name;
    Bus bus(name);
    bus.subscribe("load.*");
    const auto payload = payload_of(5, 10'000);
    Message message;
    message.payload = payload;
    message.subject = "agent-7";
    message.source = "the planner";
    bus.publish("load.named", message);
    const auto event = bus.next(0ns);
    ASSERT_TRUE(event.has_value());
    EXPECT_EQ(event->subject(), "agent-7");
    EXPECT_EQ(event->source(), "the planner");
    EXPECT_TRUE(is_whole(*event, 5));
}

TEST(LargeEvent, is_one_copy_for_eight_subscribers) {
    const BusName name;
    Bus publisher(name, with(Overflow::drop_newest, 16, 3 * kMiB));  // no room for eight copies
    std::vector<Bus> readers;
    for (int i = 0; i < 8; ++i) {
        readers.push_back(publisher.separate(with(Overflow::drop_newest)));
        readers.back().subscribe("load.*");
    }
    Message message;
    const auto payload = payload_of(9, kMiB);
    message.payload = payload;
    EXPECT_EQ(publisher.publish("load.shared", message).delivered, 8u);
    for (Bus& reader : readers) EXPECT_TRUE(is_whole(reader.next(0ns).value(), 9));
}

TEST(LargeEvent, is_built_in_place_in_a_loan) {
    const BusName name;
    Bus bus(name);
    bus.subscribe("load.*");
    Loan loan = bus.loan(kMiB);
    ASSERT_EQ(loan.memory().size(), kMiB);
    const auto payload = payload_of(3, 1000);
    std::copy(payload.begin(), payload.end(), loan.memory().begin());
    EXPECT_EQ(bus.publish("load.built", std::move(loan), 1000).delivered, 1u);
    const auto event = bus.next(0ns);
    ASSERT_TRUE(event.has_value());
    EXPECT_EQ(event->payload().size(), 1000u);
    EXPECT_TRUE(is_whole(*event, 3));
}

TEST(LargeEvent, loans_are_refused_when_they_are_not_loans_any_more) {
    const BusName name;
    Bus bus(name);
    bus.subscribe("load.*");
    void* memory = nullptr;
    ASSERT_EQ(swb_loan(bus.raw(), 5000, &memory), SWB_OK);
    swb_message message{};
    message.size = sizeof message;
    message.payload = memory;
    message.payload_bytes = 50'000;
    message.flags = SWB_LOANED;
    EXPECT_EQ(swb_publish_message(bus.raw(), "load.built", &message, nullptr), SWB_ERR_ARGUMENT) << "more than was asked for";
    message.payload_bytes = 5000;
    EXPECT_EQ(swb_publish_message(bus.raw(), "load.built", &message, nullptr), SWB_OK) << "an error leaves it the caller's";
    EXPECT_EQ(swb_publish_message(bus.raw(), "load.built", &message, nullptr), SWB_ERR_ARGUMENT) << "published already";
    EXPECT_EQ(swb_loan_return(bus.raw(), memory), SWB_ERR_ARGUMENT);
    EXPECT_EQ(swb_loan(bus.raw(), 65 * kMiB, &memory), SWB_ERR_TOO_LARGE);
}

TEST(LargeEvent, is_readable_when_its_publisher_has_ended) {
    for (const bool killed : {false, true}) {
        const BusName name;
        Bus reader(name, with(Overflow::drop_newest));
        reader.subscribe("load.*");
        Shared<std::atomic<bool>> published;
        Process publisher([&] {
            Bus bus(name);
            bus.publish("load.last", payload_of(77, 3 * kMiB));
            published->store(true);
            if (killed) ::pause();
        });
        ASSERT_TRUE(eventually([&] { return published->load(); }));
        killed ? publisher.kill() : static_cast<void>(publisher.ended_well());
        reap(name);
        EXPECT_EQ(arenas_of(name).size(), 1u) << "it is not read yet";
        {
            const auto event = reader.next(kPatience);
            ASSERT_TRUE(event.has_value());
            reap(name);
            EXPECT_TRUE(is_whole(*event, 77));
        }
        reader.release();
        reap(name);
        EXPECT_EQ(arenas_of(name).size(), 0u) << "nobody has anything to read there any more";
    }
}

TEST(LargeEvent, that_is_held_keeps_the_file_of_a_dead_publisher_while_others_pass_its_slot) {
    const BusName name;
    Bus reader(name, with(Overflow::drop_oldest));
    reader.subscribe("load.*");
    Process publisher([&] { Bus(name).publish("load.last", payload_of(77, 5000)); });
    ASSERT_TRUE(publisher.ended_well());
    const auto event = reader.next(kPatience);
    ASSERT_TRUE(event.has_value());
    Bus other(name);
    for (int i = 0; i < 40; ++i) other.publish("load.small", "");  // twice around the inbox
    reap(name);
    EXPECT_EQ(arenas_of(name).size(), 1u) << "it is held";
    EXPECT_TRUE(is_whole(*event, 77));
    reader.release();
    reap(name);
    EXPECT_EQ(arenas_of(name).size(), 0u);
}

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
    reap(name);
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
