// Reapers that meet each other, are killed or stopped half way, or can't have the control lock.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process_ledger.hpp"
#include "tests/support/process_reaping.hpp"

namespace swarmbus::test {
namespace {

class Reapers : public testing::Test {
protected:
    // A process that is led through attaching, which reaps. At its start.
    std::unique_ptr<SteppedProcess> reaper_at_the_start() const {
        auto reaper = std::make_unique<SteppedProcess>([this] {
            SteppedProcess::mark();
            const Bus own(name_, small_inbox());
            SteppedProcess::mark();
        });
        require(reaper->run_to_mark(), "the reaper did not start");
        return reaper;
    }
    // With the control lock in its hands and the tables in change. False if another was first.
    bool led_into_reaping(SteppedProcess& reaper) const {
        const auto pid = static_cast<std::uint32_t>(reaper.process().pid());
        const swb_l_header& header = tables_.header();
        for (int calls = 0; calls < 1'000 && BusTables::now(header.control_holder_pid) != pid; ++calls) {
            require(reaper.step_system_calls(1) == 1, "it never has the lock");
        }
        return step_until(
            reaper, [&] { return (BusTables::now(header.control) & 1) != 0; }, 2'000'000);
    }
    void lead_into_reaping(SteppedProcess& reaper) const { require(led_into_reaping(reaper), "it changes nothing"); }
    // Of one more dead, while idle readers look after those, too.
    std::unique_ptr<SteppedProcess> reaper_that_is_first() const {
        for (int attempt = 0; attempt < 20; ++attempt) {
            kill_one();
            auto reaper = reaper_at_the_start();
            if (led_into_reaping(*reaper)) return reaper;
            reaper->process().kill();
        }
        return nullptr;
    }
    void kill_one() const { Victim(name_, small_inbox(), take_some_of_everything).kill(); }

    // Small tables: what is led through them by single instructions goes through all of them.
    static Options small_tables() {
        Options options = small_inbox();
        options.max_participants = 16;
        options.max_subscribers = 32;
        options.max_types = 64;
        return options;
    }

    const BusName name_;
    Bus bus_{name_, small_tables()};
    const BusTables tables_{name_};
    Taken before_ = tables_.taken();
};

TEST_F(Reapers, many_at_once_give_everything_back_once_and_tell_of_each_death_once) {
    Bus observer = bus_.separate({});
    observer.subscribe("bus.participant.died mark.*");
    bus_.publish("mark.known", "");
    observer.next(0ns);
    for (int round = 0; round < rounds(15, 3); ++round) {
        const Taken before = tables_.taken();
        constexpr int kVictims = 4, kAtOnce = 6;
        {
            std::vector<std::unique_ptr<Victim>> victims;
            for (int i = 0; i < kVictims; ++i) {
                Options options = small_inbox();
                options.source = "victim-" + std::to_string(i);
                victims.push_back(std::make_unique<Victim>(name_, options, take_some_of_everything));
            }
            for (auto& victim : victims) victim->kill();
        }
        Shared<std::atomic<bool>> go;
        std::vector<std::unique_ptr<Process>> reapers;
        for (int i = 0; i < kAtOnce; ++i) {
            reapers.push_back(std::make_unique<Process>([&] {
                while (!*go) {}
                const Bus own(name_);
            }));
        }
        *go = true;
        for (auto& reaper : reapers) ASSERT_TRUE(reaper->ended_well());
        bus_.publish("mark.end", "");
        Taken after = tables_.taken();
        ASSERT_EQ(after, before);
        std::array<int, kVictims> told{};
        for (;;) {
            const auto event = observer.next(kPatience);
            ASSERT_TRUE(event && *event);
            if (event->type() == "mark.end") break;
            ASSERT_TRUE(event->subject().starts_with("victim-")) << event->subject();
            ++told[event->subject().back() - '0'];
        }
        EXPECT_EQ(told, (std::array<int, kVictims>{1, 1, 1, 1}));
    }
}

TEST_F(Reapers, one_that_is_killed_half_way_is_finished_by_the_next_who_reaps_it_too) {
    if (kSanitized) GTEST_SKIP() << "sanitizers make reaping far too long to be stepped through";
    bus_.subscribe("mine.*");
    bus_.publish("mine.event", "");
    bus_.next(0ns);
    before_ = tables_.taken();
    constexpr int kInstructions = 3'000;
    kill_one();
    const int calls = reaper_at_the_start()->step_system_calls(1'000);
    ASSERT_LT(calls, 1'000);
    RecordProperty("system_calls", calls);
    std::random_device random;
    for (int call = 0; call <= calls; ++call) {
        const int instructions = static_cast<int>(random() % kInstructions);
        SCOPED_TRACE(std::to_string(instructions) + " instructions behind system call " + std::to_string(call));
        kill_one();
        {
            const auto reaper = reaper_at_the_start();
            const int done = reaper->step_system_calls(call);
            if (done == call) reaper->step(instructions);
            reaper->process().kill();
        }
        ASSERT_TRUE(attach_and_leave(name_));
        ASSERT_EQ(tables_.taken(), before_);
        ASSERT_EQ(bus_.publish("mine.event", Message{}).delivered, 1u);
        ASSERT_TRUE(bus_.next(0ns));
    }
}

// Within the tables' change itself, where a system call is far away.
TEST_F(Reapers, one_that_is_killed_while_it_changes_the_tables_is_finished_by_the_next) {
    if (kSanitized) GTEST_SKIP() << "sanitizers make reaping far too long to be stepped through";
    bus_.publish("mine.event", "");
    before_ = tables_.taken();
    std::random_device random;
    for (int point = 0; point < 40; ++point) {
        const int instructions = static_cast<int>(random() % (point % 4 == 3 ? 60'000 : 5'000));
        SCOPED_TRACE(std::to_string(instructions) + " instructions behind the first change");
        kill_one();
        {
            const auto reaper = reaper_at_the_start();
            ASSERT_NO_THROW(lead_into_reaping(*reaper));
            reaper->step(instructions);
            reaper->process().kill();
        }
        ASSERT_TRUE(attach_and_leave(name_));
        ASSERT_EQ(tables_.taken(), before_);
    }
}

// peers 8: sysrepo 3332
TEST_F(Reapers, one_that_is_stopped_half_way_harms_no_publisher_and_no_reader) {
    if (kSanitized) GTEST_SKIP() << "sanitizers make reaping far too long to be stepped through";
    constexpr std::uint32_t kPublishers = 4;
    Ledger<kPublishers> ledger;
    Shared<std::atomic<bool>> stop, stop_reading;
    Shared<std::atomic<std::uint64_t>> received;
    Channel<int> subscribed;
    Process reader([&] {
        Options options;
        options.capacity_slots = 1024;
        Bus bus(name_, options);
        bus.subscribe("load.*");
        subscribed.send(1);
        Tally tally;
        for (bool last = false; !last;) {
            last = *stop_reading;
            for (bool idle = false; !idle;) {
                const auto batch = bus.next_batch(64, 20ms);
                for (const Event& event : batch) tally.take(event);
                idle = batch.empty();
                *received = tally.received();
                if (*stop && !idle) continue;
                if (!last) break;
            }
        }
        const std::string fault = compare(*ledger, tally);
        require(fault.empty(), fault);
    });
    ASSERT_TRUE(subscribed.receive());
    std::vector<std::unique_ptr<Process>> publishers;
    for (std::uint32_t p = 0; p < kPublishers; ++p) {
        publishers.push_back(std::make_unique<Process>([&, p] {
            Bus bus(name_);
            Publisher publisher = bus.publisher("load.tick");
            while (!*stop) publish_next(publisher, (*ledger)[p], p, 1);
        }));
    }
    const auto all_go_on = [&](std::uint64_t by) {
        const std::uint64_t read = *received;
        std::array<std::uint64_t, kPublishers> at{};
        for (std::uint32_t p = 0; p < kPublishers; ++p) at[p] = (*ledger)[p].returned;
        return eventually([&] {
            bool all = *received >= read + by;
            for (std::uint32_t p = 0; p < kPublishers; ++p) all = all && (*ledger)[p].returned >= at[p] + by;
            return all;
        });
    };
    ASSERT_TRUE(all_go_on(100));
    std::random_device random;
    for (int round = 0; round < 10; ++round) {
        const auto reaper = reaper_that_is_first();
        ASSERT_TRUE(reaper);
        reaper->step(static_cast<int>(random() % 5'000));
        if (round % 3 == 2) {
            reaper->process().kill();
        } else {
            ASSERT_NO_THROW(reaper->leave_stopped());
        }
        EXPECT_TRUE(all_go_on(500)) << "while the reaper stands still, round " << round;
        if (round % 3 == 1) reaper->process().resume();
        if (round % 3 != 2) reaper->process().kill();  // one that was resumed may have come to its end, or not
    }
    *stop = true;
    for (auto& publisher : publishers) EXPECT_TRUE(publisher->ended_well());
    *stop_reading = true;
    EXPECT_TRUE(reader.ended_well());
    ASSERT_TRUE(attach_and_leave(name_));
    EXPECT_EQ(tables_.taken(), before_);
}

TEST_F(Reapers, a_stopped_holder_of_the_control_lock_delays_control_operations_which_name_it_and_nothing_else) {
    if (kSanitized) GTEST_SKIP() << "sanitizers make attaching far too long to be stepped through";
    bus_.subscribe("kept.*");
    bus_.publish("kept.event", "");
    bus_.next(0ns);
    before_ = tables_.taken();
    kill_one();
    const auto holder = reaper_at_the_start();
    ASSERT_NO_THROW(lead_into_reaping(*holder));
    ASSERT_NO_THROW(holder->leave_stopped());
    Process other([&] {
        try {
            const Bus refused(name_);
            require(false, "attaching is a control operation");
        } catch (const Error& e) {
            require(e.code() == SWB_ERR_BUSY, e.what());
        }
    });
    try {
        bus_.subscribe("more.*");
        FAIL() << "the lock is held";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), SWB_ERR_BUSY);
        EXPECT_NE(std::string(e.what()).find(std::to_string(holder->process().pid())), std::string::npos) << e.what();
    }
    EXPECT_TRUE(other.ended_well());
    EXPECT_EQ(bus_.publish("kept.event", Message{}).delivered, 1u);
    EXPECT_EQ(bus_.publish("kept.new-type", Message{}).delivered, 1u) << "a type that can't be entered travels by name";
    EXPECT_EQ(bus_.next(0ns).value().type(), "kept.event");
    EXPECT_EQ(bus_.next(kPatience).value().type(), "kept.new-type");
    EXPECT_FALSE(bus_.next(1'500ms)) << "idle seconds look for the dead, and don't wait for the lock";
    holder->process().kill();
    ASSERT_TRUE(attach_and_leave(name_));
    EXPECT_EQ(tables_.taken(), before_);
    bus_.subscribe("more.*");
}

TEST_F(Reapers, who_closes_while_the_control_lock_is_not_to_be_had_is_reaped_later_and_may_live_on) {
    if (kSanitized) GTEST_SKIP() << "sanitizers make attaching far too long to be stepped through";
    Channel<int> opened, close, closed;
    Process leaves([&] {
        {
            Bus bus(name_, small_inbox());
            bus.subscribe("left.*");
            bus.publish("left.event", "");
            opened.send(1);
            close.receive();
        }
        closed.send(1);
        for (;;) ::pause();
    });
    ASSERT_TRUE(opened.receive());
    const auto place = tables_.place_of(leaves.pid());
    ASSERT_TRUE(place);
    kill_one();  // so that there is something to change
    const auto holder = reaper_at_the_start();
    ASSERT_NO_THROW(lead_into_reaping(*holder));
    ASSERT_NO_THROW(holder->leave_stopped());
    close.send(1);
    ASSERT_TRUE(closed.receive());
    EXPECT_EQ(tables_.participant_status(*place), static_cast<std::uint32_t>(SWB_PARTICIPANT_LEFT));
    EXPECT_GT(tables_.taken().inboxes, before_.inboxes);
    holder->process().kill();
    ASSERT_TRUE(attach_and_leave(name_));
    EXPECT_EQ(tables_.taken(), before_) << "all of it, although its process lives";
    EXPECT_FALSE(leaves.wait(0ns));
}

}  // namespace
}  // namespace swarmbus::test
