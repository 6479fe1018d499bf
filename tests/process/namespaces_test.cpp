// Processes in PID namespaces of their own, as containers are, on one /dev/shm: of each other they
// know nothing but their locks, and pids mean other processes.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <memory>
#include <string>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process_namespace.hpp"
#include "tests/support/process_numbered.hpp"
#include "tests/support/process_reaping.hpp"
#include "tests/support/process_shm.hpp"

namespace swarmbus::test {
namespace {

constexpr std::uint64_t kEvents = 2'000;

// With a /proc of their own, as container runtimes do it, or with that of the namespace around.
enum class Proc { own, of_outside };

class Namespaces : public testing::TestWithParam<Proc> {
protected:
    void SetUp() override {
        if (!pid_namespaces_are_allowed()) GTEST_SKIP() << "this user may not make PID namespaces";
        if (GetParam() == Proc::own && !private_shm_is_allowed()) GTEST_SKIP() << "this user may not mount a /proc";
        bus_.publish("mine.event", "");
        before_ = tables_.taken();
    }
    static void enter() {
        if (GetParam() != Proc::own) return;
        require(::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                    ::mount("proc", "/proc", "proc", 0, nullptr) == 0,
                "mounting /proc");
    }
    template <typename Body>
    static std::unique_ptr<NamespacedProcess> in_its_own(Body&& body) {
        return std::make_unique<NamespacedProcess>([&body] {
            enter();
            body();
        });
    }
    // Sends and receives so many, at the same time.
    void exchange(std::uint32_t me, const std::string& mine, const std::string& other) const {
        Options options;
        options.overflow = Overflow::block;
        options.block_timeout = kPatience;
        Bus bus(name_, options);
        bus.subscribe(mine);
        ready_.send(1);
        go_.receive();
        std::thread publishes([&] {
            for (std::uint64_t n = 1; n <= kEvents; ++n) bus.publish(other, NumberedPayload({me, n}).bytes());
        });
        Tally tally;
        while (tally.received() < kEvents) {
            const auto event = bus.next(kPatience);
            if (!event) break;
            tally.take(*event);
        }
        publishes.join();
        require(tally.received() == kEvents && tally.told() == 0 && tally.fault().empty(), "received all: " + tally.fault());
    }

    const BusName name_;
    Bus bus_{name_, small_inbox()};
    const BusTables tables_{name_};
    Taken before_;
    Channel<int> ready_, go_;
};

TEST_P(Namespaces, processes_of_two_publish_and_receive_both_ways_and_wake_each_other) {
    const auto a = in_its_own([&] { exchange(1, "to.a", "to.b"); });
    const auto b = in_its_own([&] { exchange(2, "to.b", "to.a"); });
    ASSERT_TRUE(ready_.receive() && ready_.receive());
    go_.send(1);
    go_.send(1);
    EXPECT_TRUE(a->ended_well());
    EXPECT_TRUE(b->ended_well());
    EXPECT_EQ(tables_.taken(), before_);
}

TEST_P(Namespaces, who_attaches_in_one_reaps_what_was_killed_in_another) {
    const auto victim = in_its_own([&] {
        Bus bus(name_, small_inbox());
        take_some_of_everything(bus);
        ready_.send(1);
        for (;;) ::pause();
    });
    const auto survivor = in_its_own([&] {
        Bus bus(name_, small_inbox());
        bus.subscribe("mine.*");
        ready_.send(1);
        go_.receive();
        const Bus other(name_);  // the same participant: nothing to reap by it
        require(attach_and_leave(name_), "attaching in the other namespace");
        go_.receive();
        require(bus.next(0ns).has_value(), "it goes on");
    });
    ASSERT_TRUE(ready_.receive() && ready_.receive());
    const std::uint32_t places = tables_.taken().participants;
    victim->kill();
    go_.send(1);
    EXPECT_TRUE(eventually([&] { return tables_.taken().participants == places - 1; }));
    EXPECT_EQ(tables_.taken().inboxes, 1u) << "the survivor's";
    EXPECT_EQ(bus_.publish("mine.event", Message{}).delivered, 1u);
    go_.send(1);
    EXPECT_TRUE(survivor->ended_well());
    EXPECT_EQ(tables_.taken(), before_);
}

TEST_P(Namespaces, a_sleeper_in_one_reaps_what_was_killed_in_another) {
    const auto sleeper = in_its_own([&] {
        Bus bus(name_, small_inbox());
        bus.subscribe("bus.participant.died");
        ready_.send(1);
        require(bus.next(kPatience).value().subject() == "victim", "it hears of the death it found");
    });
    ASSERT_TRUE(ready_.receive());
    const Taken before = tables_.taken();
    const auto victim = in_its_own([&] {
        Bus bus(name_, small_inbox(Overflow::drop_oldest, "victim"));
        take_some_of_everything(bus);
        ready_.send(1);
        for (;;) ::pause();
    });
    ASSERT_TRUE(ready_.receive());
    EXPECT_GT(tables_.taken().participants, before.participants);
    victim->kill();
    EXPECT_TRUE(sleeper->ended_well());
    EXPECT_TRUE(attach_and_leave(name_));
    EXPECT_EQ(tables_.taken(), before_);
}

// Its pid is 1, and the pid of its parent there is nobody's here.
TEST_P(Namespaces, who_lives_in_one_is_never_taken_for_dead_by_another) {
    const auto lives = in_its_own([&] {
        Bus bus(name_, small_inbox(Overflow::drop_newest));
        bus.subscribe("mine.*");
        ready_.send(1);
        for (int n = 0; n < 20; ++n) require(bus.next(kPatience).has_value(), "it is part of the bus");
    });
    ASSERT_TRUE(ready_.receive());
    for (int n = 0; n < 20; ++n) {
        ASSERT_TRUE(attach_and_leave(name_));
        if (n % 10 == 0) {
            const auto other = in_its_own([&] { const Bus own(name_); });
            ASSERT_TRUE(other->ended_well());
        }
        ASSERT_EQ(bus_.publish("mine.event", Message{}).delivered, 1u) << n;
    }
    EXPECT_TRUE(lives->ended_well());
}

// Its pid names another process in a /proc of outside: that proves nothing.
TEST_P(Namespaces, who_lost_its_lock_in_one_but_lives_is_not_taken_for_dead_by_its_neighbours_there) {
    const auto both = in_its_own([&] {
        Channel<int> lost, checked;
        Process host([&] {
            Bus bus(name_, small_inbox());
            bus.subscribe("mine.*");
            bus.publish("other.event", "");
            close_all_descriptors();
            lost.send(1);
            checked.receive();
        });
        require(lost.receive().has_value(), "the host did not start");
        require(attach_and_leave(name_), "attaching in the same namespace");
        const BusTables tables(name_);
        const auto place = tables.place_of(host.pid());
        require(place.has_value(), "it was reaped although it lives");
        require(tables.participant_status(*place) == SWB_PARTICIPANT_EXPELLED, "it is no part of the bus any more");
        require(tables.gate_status(*tables.inbox_of(host.pid())) == SWB_GATE_DEAD, "what it may write to is nobody else's");
        checked.send(1);
        require(host.ended_well(), "the host");
    });
    EXPECT_TRUE(both->ended_well());
    ASSERT_TRUE(attach_and_leave(name_));
    EXPECT_EQ(tables_.taken(), before_);
}

INSTANTIATE_TEST_SUITE_P(, Namespaces, testing::Values(Proc::own, Proc::of_outside),
                         [](const auto& proc) { return proc.param == Proc::own ? "with_their_own_proc" : "with_the_proc_of_outside"; });

}  // namespace
}  // namespace swarmbus::test
