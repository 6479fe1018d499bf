// The descriptor that is readable when an inbox has something: in poll and epoll, over processes,
// beside blocking calls, and when who should have rung dies.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process_reaping.hpp"
#include "tests/support/process_shm.hpp"

namespace swarmbus::test {
namespace {

constexpr std::uint32_t kModeMask = 3, kWaiting = 2;

int descriptor_of(const Bus& bus) {
    int descriptor = -1;
    detail::check(swb_descriptor(bus.raw(), &descriptor));
    return descriptor;
}

bool readable(int descriptor, std::chrono::milliseconds patience = 0ms) {
    pollfd ready{descriptor, POLLIN, 0};
    return ::poll(&ready, 1, static_cast<int>(patience.count())) == 1 && (ready.revents & POLLIN) != 0;
}

// Takes what is there, until a look finds nothing: the descriptor is silent then.
int take_all(Bus& bus) {
    int events = 0;
    while (bus.next(0ns)) ++events;
    return events;
}

class Pollable : public testing::Test {
protected:
    Pollable() { bus_.subscribe("mine.*"); }

    const BusName name_;
    Bus bus_{name_, small_inbox()};
    const BusTables tables_{name_};
};

// Its ring does not get there: the next one's must, and not a second later.
TEST_F(Pollable, descriptor_is_rung_by_the_next_publisher_if_one_has_no_descriptor_to_ring_with) {
    if (kSanitized) GTEST_SKIP() << "sanitizers need descriptors to look at objects";
    const int descriptor = descriptor_of(bus_);
    ASSERT_EQ(take_all(bus_), 0);
    const auto inbox = tables_.inbox_of(::getpid());
    ASSERT_TRUE(inbox);
    Process poor([&] {
        Bus other(name_, small_inbox());
        other.publish("other.event", "");
        const rlimit none{0, 0};
        require(::setrlimit(RLIMIT_NOFILE, &none) == 0, "no more descriptors");
        other.publish("mine.event", "");
    });
    ASSERT_TRUE(poor.ended_well());
    EXPECT_EQ(BusTables::now(tables_.inbox(*inbox).wake) & kModeMask, kWaiting);
    Bus other = bus_.separate({});
    other.publish("mine.event", "");
    EXPECT_TRUE(readable(descriptor));
    EXPECT_EQ(take_all(bus_), 2);
}

// A loop that is never without events for a second looks after the dead all the same.
TEST_F(Pollable, readers_of_a_trickle_find_the_dead) {
    const int descriptor = descriptor_of(bus_);
    Victim victim(name_, small_inbox(), [](Bus& bus) { bus.subscribe("victim.*"); });
    const auto place = tables_.place_of(victim.pid());
    ASSERT_TRUE(place);
    Process trickles([&] {
        Bus other(name_, small_inbox());
        for (;;) {
            other.publish("mine.event", "");
            std::this_thread::sleep_for(50ms);
        }
    });
    ASSERT_TRUE(eventually([&] { return take_all(bus_) > 0; })) << "it looks for nobody itself from here on";
    victim.kill();
    EXPECT_TRUE(eventually([&] {
        readable(descriptor, 1000ms);
        take_all(bus_);
        return tables_.participant_status(*place) == SWB_PARTICIPANT_FREE;
    }));
}

// All epoll sets and timers have the same inode: the number alone says nothing.
TEST_F(Pollable, descriptor_of_the_host_that_has_its_number_is_neither_used_nor_closed) {
    Process host([&] {
        std::optional<Bus> bus(std::in_place, name_, small_inbox());
        bus->subscribe("mine.*");
        const int was = descriptor_of(*bus);
        close_all_descriptors();
        std::vector<int> own;
        while (own.empty() || own.back() < was + 8) own.push_back(::epoll_create1(EPOLL_CLOEXEC));
        const int made_anew = descriptor_of(*bus);
        require(made_anew >= 0 && std::find(own.begin(), own.end(), made_anew) == own.end(), "there is a new descriptor");
        require(readable(made_anew), "it is readable at first");
        take_all(*bus);
        bus->publish("mine.event", "");
        require(readable(made_anew) && take_all(*bus) == 1, "it is rung");
        bus.reset();
        for (const int fd : own) require(::fcntl(fd, F_GETFD) >= 0, "the host's descriptors are there still");
    });
    EXPECT_TRUE(host.ended_well());
}

TEST_F(Pollable, descriptor_asks_for_a_subscription_is_always_the_same_and_above_the_standard_streams) {
    Bus other = bus_.separate({});
    int descriptor = -1;
    EXPECT_EQ(swb_descriptor(other.raw(), &descriptor), SWB_ERR_NOT_SUBSCRIBED);
    const int mine = descriptor_of(bus_);
    EXPECT_GE(mine, 3);
    EXPECT_EQ(descriptor_of(bus_), mine);
    other.subscribe("mine.*");
    EXPECT_NE(descriptor_of(other), mine);
}

TEST_F(Pollable, descriptor_is_readable_at_first_so_that_what_came_before_is_seen) {
    bus_.publish("mine.event", "before");
    const int descriptor = descriptor_of(bus_);
    EXPECT_TRUE(readable(descriptor));
    EXPECT_EQ(take_all(bus_), 1);
    EXPECT_FALSE(readable(descriptor));
}

TEST_F(Pollable, descriptor_stays_readable_until_a_look_has_found_nothing_whoever_takes_one_event_a_turn) {
    const int descriptor = descriptor_of(bus_);
    take_all(bus_);
    for (int round = 0; round < 3; ++round) {
        for (int n = 0; n < 5; ++n) bus_.publish("mine.event", std::to_string(n));
        for (int n = 0; n < 5; ++n) {
            ASSERT_TRUE(readable(descriptor)) << n;
            ASSERT_TRUE(readable(descriptor)) << "level-triggered";
            ASSERT_EQ(bus_.next(0ns).value().text(), std::to_string(n));
        }
        ASSERT_TRUE(readable(descriptor)) << "nobody has looked yet";
        ASSERT_FALSE(bus_.next(0ns));
        ASSERT_FALSE(readable(descriptor));
    }
}

TEST_F(Pollable, descriptor_becomes_readable_again_for_each_event_however_it_falls_into_the_look) {
    const int descriptor = descriptor_of(bus_);
    Shared<std::atomic<std::uint64_t>> taken;
    Process publisher([&] {
        Bus other(name_);
        for (std::uint64_t n = 1; n <= 20'000; ++n) {
            other.publish("mine.event", "");
            if (n % 3 == 0) require(eventually([&] { return *taken >= n; }), "event " + std::to_string(n) + " is not noticed");
        }
    });
    std::uint64_t received = 0;
    while (received < 20'000) {
        // The timer, which rings once a second, does not cover for a lost ring.
        ASSERT_TRUE(readable(descriptor, kSanitized ? 10s : 900ms)) << "behind event " << received;
        const auto event = bus_.next(0ns);
        if (event && *event) ++received;
        *taken = received;
    }
    EXPECT_TRUE(publisher.ended_well());
    EXPECT_EQ(bus_.lost(LossCause::evicted), 0u);
}

TEST_F(Pollable, descriptor_misses_nothing_when_a_blocking_call_slept_in_between) {
    const int descriptor = descriptor_of(bus_);
    for (int round = 0; round < 3; ++round) {
        take_all(bus_);
        ASSERT_FALSE(bus_.next(20ms)) << "it sleeps in the call, on another word";
        bus_.publish("mine.event", "");
        ASSERT_TRUE(readable(descriptor)) << "without waiting for the timer";
        ASSERT_EQ(take_all(bus_), 1);
    }
}

TEST_F(Pollable, descriptor_becomes_readable_by_a_stop_of_another_thread) {
    const int descriptor = descriptor_of(bus_);
    take_all(bus_);
    ASSERT_FALSE(readable(descriptor));
    std::thread([&] { bus_.stop(); }).join();
    EXPECT_TRUE(readable(descriptor));
    swb_event event{};
    event.size = sizeof event;
    EXPECT_EQ(swb_next(bus_.raw(), 0, &event), SWB_STOPPED);
    EXPECT_EQ(swb_next(bus_.raw(), 0, &event), SWB_TIMED_OUT);
    EXPECT_FALSE(readable(descriptor));
    bus_.publish("mine.event", "");
    EXPECT_TRUE(readable(descriptor)) << "it goes on after a stop";
}

// Two processes, each in its loop, answer each other.
enum class Loop { with_poll, with_epoll };
class PollableIn : public testing::TestWithParam<Loop> {};

TEST_P(PollableIn, two_processes_wakes_each_for_the_others_events) {
    constexpr int kTurns = 2'000;
    const BusName name;
    const auto play = [&](const std::string& mine, const std::string& other, bool begins, const Channel<int>* subscribed,
                          const Channel<int>* go) {
        Bus bus(name, small_inbox());
        bus.subscribe(mine);
        const int descriptor = descriptor_of(bus);
        const int set = ::epoll_create1(EPOLL_CLOEXEC);
        epoll_event asked{};
        asked.events = EPOLLIN;
        require(::epoll_ctl(set, EPOLL_CTL_ADD, descriptor, &asked) == 0, "epoll_ctl");
        subscribed->send(1);
        go->receive();
        if (begins) bus.publish(other, "");
        for (int turn = 0; turn < kTurns;) {
            epoll_event event{};
            const bool ready = GetParam() == Loop::with_epoll ? ::epoll_wait(set, &event, 1, 20'000) == 1 : readable(descriptor, 20s);
            require(ready, "turn " + std::to_string(turn));
            while (const auto received = bus.next(0ns)) {
                ++turn;
                if (turn < kTurns || !begins) bus.publish(other, "");
            }
        }
        ::close(set);
    };
    Channel<int> subscribed, go;
    const auto start = std::chrono::steady_clock::now();
    Process a([&] { play("to.a", "to.b", true, &subscribed, &go); });
    Process b([&] { play("to.b", "to.a", false, &subscribed, &go); });
    ASSERT_TRUE(subscribed.receive() && subscribed.receive());
    go.send(1);
    go.send(1);
    EXPECT_TRUE(a.ended_well());
    EXPECT_TRUE(b.ended_well());
    // By timers alone each turn would take a second.
    EXPECT_LT(std::chrono::steady_clock::now() - start, kTurns * 50ms);
}

INSTANTIATE_TEST_SUITE_P(, PollableIn, testing::Values(Loop::with_poll, Loop::with_epoll),
                         [](const auto& loop) { return loop.param == Loop::with_poll ? "poll" : "epoll"; });

TEST_F(Pollable, descriptor_of_the_parent_works_on_when_a_forked_child_closes_its_copy) {
    const int descriptor = descriptor_of(bus_);
    take_all(bus_);
    for (const bool exits : {false, true}) {
        Process child([&] {
            int other = -1;
            require(swb_descriptor(bus_.raw(), &other) == SWB_ERR_FORKED, "the handle is the parent's");
            swb_close(bus_.raw());
            ::close(descriptor);
            if (!exits) ::_exit(0);
        });
        ASSERT_TRUE(child.ended_well());
        EXPECT_FALSE(readable(descriptor)) << "nobody published";
        Process publisher([&] {
            Bus other(name_);
            other.publish("mine.event", "");
        });
        ASSERT_TRUE(publisher.ended_well());
        EXPECT_TRUE(readable(descriptor));
        EXPECT_EQ(take_all(bus_), 1);
    }
}

TEST_F(Pollable, descriptor_is_gone_with_its_handle_and_its_socket_with_it) {
    const auto entries = [&] {
        int count = 0;
        char directory[64];
        std::snprintf(directory, sizeof directory, "/dev/shm/swarmbus-with.%016llx",
                      static_cast<unsigned long long>(tables_.plan().bus_id));
        std::error_code none;
        for (auto it = std::filesystem::directory_iterator(directory, none); it != std::filesystem::directory_iterator(); ++it) ++count;
        return count;
    };
    int descriptor = -1;
    {
        Bus other = bus_.separate(small_inbox());
        other.subscribe("other.*");
        descriptor = descriptor_of(other);
        EXPECT_EQ(entries(), 1);
    }
    EXPECT_EQ(entries(), 0);
    EXPECT_EQ(::fcntl(descriptor, F_GETFD), -1);
    {
        Victim victim(name_, small_inbox(), [](Bus& bus) {
            bus.subscribe("victim.*");
            descriptor_of(bus);
        });
        EXPECT_EQ(entries(), 1);
        victim.kill();
    }
    ASSERT_TRUE(attach_and_leave(name_));
    EXPECT_EQ(entries(), 0) << "who reaps removes the socket of the dead";
}

// peers 5: what can't be made is a clear error, and the reader goes on without.
TEST_F(Pollable, descriptor_that_finds_no_room_for_its_socket_is_a_clear_error) {
    if (!private_shm_is_allowed()) GTEST_SKIP() << "this user may not mount a file system of its own";
    for (const bool for_directory : {false, true}) {
        Process child([&] {
            enter_private_shm("tmpfs", "size=16m,nr_inodes=3");
            const BusName name;
            Bus bus(name, small_inbox());
            bus.subscribe("mine.*");
            if (!for_directory) std::ofstream("/dev/shm/filler") << "x";
            int descriptor = -1;
            const swb_result result = swb_descriptor(bus.raw(), &descriptor);
            require(result == SWB_ERR_SYSTEM || result == SWB_ERR_NO_SPACE, swb_result_name(result));
            require(std::string(swb_last_error()).find("No space") != std::string::npos, swb_last_error());
            bus.publish("mine.event", "");
            require(bus.next(0ns).has_value(), "it receives");
            require(!bus.next(1ms), "and waits");
        });
        EXPECT_TRUE(child.ended_well()) << for_directory;
    }
}

TEST_F(Pollable, descriptor_is_readable_within_a_second_for_an_event_whose_publisher_died_before_it_rang) {
    if (kSanitized) GTEST_SKIP() << "sanitizers make a publish far too long to be stepped through";
    const int descriptor = descriptor_of(bus_);
    const std::uint32_t inbox = *tables_.inbox_of(::getpid());
    SteppedProcess publisher([&] {
        Bus other(name_);
        Publisher bound = other.publisher("mine.event");
        bound.publish("first");
        SteppedProcess::mark();
        bound.publish("second");
        SteppedProcess::mark();
    });
    ASSERT_TRUE(publisher.run_to_mark());
    take_all(bus_);
    ASSERT_EQ(BusTables::now(tables_.inbox(inbox).wake) & kModeMask, kWaiting);
    const std::uint64_t next = BusTables::now(tables_.inbox(inbox).head) >> 16;
    ASSERT_TRUE(step_until(publisher, [&] { return tables_.state(inbox, next).ready_at(next & ~std::uint64_t{15}); })) << "it commits";
    publisher.process().kill();
    const auto start = std::chrono::steady_clock::now();
    EXPECT_FALSE(readable(descriptor, 0ms)) << "it died before it rang";
    EXPECT_TRUE(readable(descriptor, kPatience));
    EXPECT_LT(std::chrono::steady_clock::now() - start, 3s) << "1.1 s, and more where the machine is busy";
    EXPECT_EQ(bus_.next(0ns).value().text(), "second");
}

}  // namespace
}  // namespace swarmbus::test
