// What a bus and an inbox take, and that all of it is given back.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"

namespace swarmbus::test {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

// Anonymous memory of this process, in bytes: that of files is the bus's own.
std::uint64_t anonymous_memory() {
    std::ifstream status("/proc/self/status");
    std::string word;
    std::uint64_t kib = 0;
    while (status >> word) {
        if (word == "RssAnon:" && status >> kib) return kib << 10;
    }
    return 0;
}

std::size_t entries_of(const char* directory) {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory)) ++count;
    return count;
}

std::size_t mappings() {
    std::ifstream maps("/proc/self/maps");
    std::size_t count = 0;
    for (std::string line; std::getline(maps, line);) ++count;
    return count;
}

TEST(Resources, an_idle_bus_takes_less_than_4_mib_of_memory) {
    const BusName name;
    const Bus bus(name);
    const swb_info info = name.look();
    EXPECT_LT(info.resident_bytes, 4 * kMiB);
    EXPECT_GT(info.file_bytes, 4096 * kMiB) << "sparse: room for all rings is there, but not taken";
}

TEST(Resources, opening_a_bus_again_takes_no_more_of_it) {
    const BusName name;
    const Bus bus(name);
    const std::uint64_t before = name.look().resident_bytes;
    Process other([&] {
        Bus own(name);
        own.publish("a.b", "");
    });
    EXPECT_TRUE(other.ended_well());
    EXPECT_EQ(name.look().resident_bytes, before);
}

class InboxOf : public testing::TestWithParam<std::uint32_t> {};

TEST_P(InboxOf, slots_takes_them_and_8_bytes_each_and_less_than_8_kib_more_and_gives_all_back) {
    const std::uint32_t slots = GetParam();
    const BusName name;
    Bus bus(name);
    const std::uint64_t before = name.look().resident_bytes;
    {
        Options options;
        options.capacity_slots = slots;
        Bus inbox = bus.separate(options);
        inbox.subscribe("*");
        const std::uint64_t taken = name.look().resident_bytes - before;
        EXPECT_GE(taken, std::uint64_t{slots} * (256 + 8));
        EXPECT_LT(taken, std::uint64_t{slots} * (256 + 8) + 8192);
        for (std::uint32_t n = 0; n < 2 * slots; ++n) bus.publish("a.b", "fills every slot");
        EXPECT_EQ(name.look().resident_bytes - before, taken) << "use takes nothing more";
    }
    EXPECT_EQ(name.look().resident_bytes, before);
}

INSTANTIATE_TEST_SUITE_P(Resources, InboxOf, testing::Values(16u, 64u, 1024u, 4096u, 65'536u));

TEST(Resources, a_thousand_handles_opened_used_and_closed_leave_nothing_behind) {
    const BusName name;
    const Bus keeps_it(name);
    const auto use_once = [&] {
        Options options;
        options.capacity_slots = 64;
        Bus bus(name, options);
        Bus separate = bus.separate(options);
        bus.subscribe("a.*", [](const Event&) {});
        separate.subscribe("*");
        Publisher publisher = bus.publisher("a.b");
        publisher.publish("x");
        bus.publish("a.c", "y");
        bus.run_once(0ns);
        separate.next(0ns);
        EventCopy(separate.next(0ns).value());
    };
    for (int n = 0; n < 50; ++n) use_once();  // caches, pools and pages that are taken once
    const std::uint64_t memory = anonymous_memory(), resident = name.look().resident_bytes;
    const std::size_t descriptors = entries_of("/proc/self/fd"), maps = mappings(), threads = entries_of("/proc/self/task");
    const int count = rounds(1'000, 200);
    for (int n = 0; n < count; ++n) use_once();
    EXPECT_EQ(entries_of("/proc/self/fd"), descriptors);
    EXPECT_LE(mappings(), maps + 2);  // the allocator may split its own
    EXPECT_EQ(entries_of("/proc/self/task"), threads) << "the library starts no threads";
    EXPECT_EQ(name.look().resident_bytes, resident);
    if (!kSanitized) {  // sanitizers keep what is freed
        EXPECT_LT(anonymous_memory(), memory + static_cast<std::uint64_t>(count) * 256);
    }
    const swb_info info = name.look();
    EXPECT_EQ(info.participants, 1u);
    EXPECT_EQ(info.subscribers + info.writers, 0u);
}

// One process that never closes the bus: subscribing and unsubscribing alone takes nothing for good.
TEST(Resources, ten_thousand_subscriptions_that_ended_leave_nothing_behind) {
    const BusName name;
    Bus bus(name);
    bus.subscribe("kept.*");
    const auto use_once = [&] { bus.unsubscribe(bus.subscribe("a.* b.+", [](const Event&) {})); };
    for (int n = 0; n < 100; ++n) use_once();
    const std::uint64_t memory = anonymous_memory(), resident = name.look().resident_bytes;
    for (int n = 0; n < rounds(10'000, 1'000); ++n) use_once();
    EXPECT_EQ(name.look().resident_bytes, resident);
    if (!kSanitized) {
        EXPECT_LT(anonymous_memory(), memory + kMiB);
    }
}

}  // namespace
}  // namespace swarmbus::test
