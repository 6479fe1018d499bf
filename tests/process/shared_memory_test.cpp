// /dev/shm too small, of another kind, or interrupted: clear errors, nothing left behind, and never
// a signal later.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"
#include "tests/support/process_shm.hpp"

namespace swarmbus::test {
namespace {

// Runs body() in a child with a /dev/shm of its own.
template <typename Body>
bool in_private_shm(const char* type, const std::string& options, Body&& body) {
    Process child([&] {
        enter_private_shm(type, options);
        body();
    });
    return child.ended_well();
}

class SharedMemory : public testing::Test {
protected:
    void SetUp() override {
        if (!private_shm_is_allowed()) GTEST_SKIP() << "this user may not mount a file system of its own";
    }
};

Error error_of_opening(const BusName& name, const Options& options = {}) {
    try {
        const Bus bus(name, options);
    } catch (const Error& e) {
        return e;
    }
    throw std::runtime_error("opening succeeded");
}

void require_message(const Error& error, swb_result code, const std::vector<std::string>& texts) {
    require(error.code() == code, std::string(error.name()) + ": " + error.what());
    for (const std::string& text : texts)
        require(std::string(error.what()).find(text) != std::string::npos, "'" + text + "' is not in: " + error.what());
}

// peers 5
TEST_F(SharedMemory, too_small_for_a_bus_says_what_is_needed_and_what_there_is_and_leaves_nothing) {
    const BusName name;
    EXPECT_TRUE(in_private_shm("tmpfs", "size=1m", [&] {
        require_message(error_of_opening(name), SWB_ERR_NO_SPACE, {"3.", "MiB", "1.0 MiB"});
        require(files_in_shm().empty(), "something was left: " + (files_in_shm().empty() ? "" : files_in_shm()[0]));
        Options options;
        options.max_participants = options.max_subscribers = options.max_types = 16;
        options.ring_bytes = 1 << 20;
        require_message(error_of_opening(name, options), SWB_ERR_NO_SPACE, {"MiB"});  // the writers alone take 1 MiB
    }));
}

// peers 5
TEST_F(SharedMemory, too_small_for_a_large_inbox_is_a_clear_error_and_the_bus_stays_usable) {
    const BusName name;
    EXPECT_TRUE(in_private_shm("tmpfs", "size=16m", [&] {
        Options options;
        options.capacity_slots = 65'536;
        Bus bus(name, options);
        const std::uint64_t before = name.look().resident_bytes;
        try {
            bus.subscribe("*");
            require(false, "65,536 slots do not fit in 16 MiB");
        } catch (const Error& e) {
            require_message(e, SWB_ERR_NO_SPACE, {"16.5 MiB", "is free"});
        }
        require(name.look().resident_bytes == before, "a failed reservation keeps nothing");
        options.capacity_slots = 1024;
        Bus small = bus.separate(options);
        small.subscribe("*");
        bus.publish("a.b", "still works");
        require(small.next(0ns).value().text() == "still works", "events arrive");
    }));
}

// What was promised stays: nothing is allocated later than when it was asked for.
TEST_F(SharedMemory, filled_up_by_others_never_hurts_a_bus_that_exists) {
    const BusName name;
    EXPECT_TRUE(in_private_shm("tmpfs", "size=8m", [&] {
        Options options;
        options.capacity_slots = 4096;
        Bus bus(name, options);
        bus.subscribe("*");
        std::ofstream filler("/dev/shm/filler");
        while (filler << std::string(65'536, 'x') && filler.flush()) {}
        const std::string payload(200, 'p');
        for (int n = 0; n < 10'000; ++n) {
            bus.publish(n % 2 == 0 ? "a.b" : ("type." + std::to_string(n % 500)).c_str(), payload);
            if (n % 3 == 0) require(bus.next(0ns)->text() == payload, "whole");
        }
        Bus second = bus.separate({});
        try {
            second.subscribe("*");
            require(false, "there is no room for a second inbox");
        } catch (const Error& e) {
            require_message(e, SWB_ERR_NO_SPACE, {"MiB"});
        }
        require(bus.next(0ns).has_value(), "the first goes on");
        Process other([&] {  // an attaching process needs nothing of the file system
            Bus own(name);
            own.publish("a.b", "from outside");
        });
        require(other.ended_well(), "another process attaches");
    }));
}

// ipc-11: a file system that can't reserve memory.
TEST_F(SharedMemory, that_can_not_reserve_memory_is_refused_clearly) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can mount a ramfs";
    const BusName name;
    EXPECT_TRUE(in_private_shm("ramfs", "", [&] {
        require_message(error_of_opening(name), SWB_ERR_NO_SPACE, {"fallocate"});
        require(files_in_shm().empty(), "something was left");
    }));
}

TEST_F(SharedMemory, that_is_read_only_is_a_clear_error) {
    const BusName name;
    EXPECT_TRUE(in_private_shm("tmpfs", "ro", [&] { require_message(error_of_opening(name), SWB_ERR_SYSTEM, {"Read-only"}); }));
}

// ipc-11: a fast timer interrupts every reservation.
TEST_F(SharedMemory, is_reserved_although_signals_keep_interrupting) {
    const BusName name;
    Process host([&] {
        struct sigaction action {};
        action.sa_handler = [](int) {};
        ::sigaction(SIGALRM, &action, nullptr);  // without SA_RESTART
        const itimerval every{{0, 300}, {0, 300}};
        ::setitimer(ITIMER_REAL, &every, nullptr);
        Options options;
        options.capacity_slots = 65'536;
        Bus bus(name, options);
        for (int round = 0; round < rounds(20, 3); ++round) {
            Bus large = bus.separate(options);
            large.subscribe("*");
            bus.publish("a.b", "");
            require(large.next(0ns).has_value(), "an event");
        }
    });
    EXPECT_TRUE(host.ended_well());
}

}  // namespace
}  // namespace swarmbus::test
