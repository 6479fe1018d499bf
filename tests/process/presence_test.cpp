// What the bus publishes about itself: who joined, left and died, who is slow, what was lost.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process_reaping.hpp"

namespace swarmbus::test {
namespace {

bool says(std::string_view text, const std::string& what) { return text.find(what) != std::string_view::npos; }

// Subscribes to all that the bus says of itself, and to a mark that ends what is looked through.
class Observer {
public:
    explicit Observer(Bus bus) : bus_(std::move(bus)) { bus_.subscribe("bus.* mark.*"); }

    // Waits for an event about `subject`; its payload.
    std::optional<std::string> wait_for(const std::string& type, const std::string& subject) {
        const auto deadline = std::chrono::steady_clock::now() + kPatience;
        while (std::chrono::steady_clock::now() < deadline) {
            const auto event = bus_.next(1s);
            if (!event || !*event) continue;
            note(*event);
            if (event->type() == type && event->subject() == subject) return std::string(event->text());
        }
        return std::nullopt;
    }
    // How often each was told about `subject`, up to a mark that was published before.
    std::map<std::string, int> counts_up_to_mark(const std::string& subject) {
        for (;;) {
            const auto event = bus_.next(kPatience);
            if (!event) throw std::runtime_error("no mark");
            if (!*event) continue;
            if (event->type() == "mark.end") return std::exchange(counts_, {})[subject];
            note(*event);
        }
    }

private:
    void note(const Event& event) {
        require(event.encoding() == Encoding::json, "JSON");
        ++counts_[std::string(event.subject())][std::string(event.type())];
    }

    Bus bus_;
    std::map<std::string, std::map<std::string, int>> counts_;
};

class Presence : public testing::Test {
protected:
    Presence() {
        for (int i = 0; i < 3; ++i) observers_.emplace_back(bus_.separate({}));
        everything_.subscribe("* + +.+.+ >");
    }
    // Looks for the dead again and again, then says to every observer that this is all.
    void let_others_look_and_mark() {
        for (int i = 0; i < 3; ++i) ASSERT_TRUE(attach_and_leave(name_));
        bus_.publish("mark.end", "");
    }
    void expect_each_was_told(const std::map<std::string, int>& what) {
        for (Observer& observer : observers_) EXPECT_EQ(observer.counts_up_to_mark("agent-7"), what);
        while (const auto event = everything_.next(0ns)) {
            EXPECT_FALSE(event->type().starts_with("bus.")) << event->type() << " is not for those who ask for everything";
        }
    }
    static Options agent_7() { return small_inbox(Overflow::drop_newest, "agent-7"); }

    const BusName name_;
    Bus bus_{name_};
    Bus everything_{bus_.separate({})};
    std::vector<Observer> observers_;
};

TEST_F(Presence, a_process_that_opens_and_closes_is_told_to_have_joined_and_left_once_each) {
    Process agent([&] {
        const Bus own(name_, agent_7());
        const Bus second = own.separate({});  // the same participant
        const Bus third(name_, agent_7());
    });
    ASSERT_TRUE(agent.ended_well());
    const auto joined = observers_[0].wait_for("bus.participant.joined", "agent-7");
    ASSERT_TRUE(joined);
    EXPECT_TRUE(says(*joined, "\"pid\":" + std::to_string(agent.pid()))) << *joined;
    EXPECT_TRUE(says(*joined, "\"participant\":")) << *joined;
    EXPECT_TRUE(says(*joined, "\"joined_ms\":")) << *joined;
    let_others_look_and_mark();
    expect_each_was_told({{"bus.participant.joined", 1}, {"bus.participant.left", 1}});
}

TEST_F(Presence, is_told_by_the_bus_and_nobody_else) {
    for (const char* const type : {"bus.participant.died", "bus.mine"}) {
        try {
            bus_.publish(type, "forged");
            ADD_FAILURE() << type << " was published";
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), SWB_ERR_TYPE_NAME);
        }
        EXPECT_THROW(bus_.publisher(type), Error);
    }
    bus_.publish("bus", "is no part of it");
    bus_.publish("business.as.usual", "neither");
}

TEST_F(Presence, a_process_that_exits_without_closing_is_told_to_have_died_once) {
    Process agent([&] {
        new Bus(name_, agent_7());
        ::_exit(0);
    });
    ASSERT_TRUE(agent.ended_well());
    let_others_look_and_mark();
    expect_each_was_told({{"bus.participant.joined", 1}, {"bus.participant.died", 1}});
}

TEST_F(Presence, a_killed_process_is_told_to_have_died_once_by_whoever_finds_it) {
    Victim agent(name_, agent_7(), take_some_of_everything);
    agent.kill();
    // Nobody attaches: a sleeper finds it after an idle second.
    const auto died = observers_[1].wait_for("bus.participant.died", "agent-7");
    ASSERT_TRUE(died) << "within about a second";
    EXPECT_TRUE(says(*died, "\"pid\":" + std::to_string(agent.pid()))) << *died;
    EXPECT_TRUE(says(*died, "\"lock_lost\":false")) << *died;
    let_others_look_and_mark();
    expect_each_was_told({{"bus.participant.joined", 1}, {"bus.participant.died", 1}});
}

TEST_F(Presence, observers_in_several_processes_hear_of_each_death_once) {
    constexpr int kWatchers = 3, kDeaths = 5;
    Channel<int> ready;
    std::vector<std::unique_ptr<Process>> watchers;
    for (int w = 0; w < kWatchers; ++w) {
        watchers.push_back(std::make_unique<Process>([&] {
            Observer observer{Bus(name_)};
            ready.send(1);
            const auto counts = observer.counts_up_to_mark("agent-7");
            require(counts == (std::map<std::string, int>{{"bus.participant.joined", kDeaths}, {"bus.participant.died", kDeaths}}),
                    "joined or died is told more or less often than it was");
        }));
        ASSERT_TRUE(ready.receive());
    }
    for (int death = 0; death < kDeaths; ++death) {
        Victim(name_, agent_7(), take_some_of_everything).kill();
        if (death % 2 == 0) {
            ASSERT_TRUE(attach_and_leave(name_));
        }
        ASSERT_TRUE(observers_[0].wait_for("bus.participant.died", "agent-7"));
    }
    let_others_look_and_mark();
    for (auto& watcher : watchers) EXPECT_TRUE(watcher->ended_well());
}

TEST_F(Presence, names_that_json_would_have_to_escape_travel_as_they_are) {
    const std::string odd = "say \"hi\" \\ {you}";
    Process agent([&] { const Bus own(name_, small_inbox(Overflow::block, odd)); });
    ASSERT_TRUE(agent.ended_well());
    EXPECT_TRUE(observers_[0].wait_for("bus.participant.joined", odd));
    EXPECT_TRUE(observers_[0].wait_for("bus.participant.left", odd));
}

TEST_F(Presence, is_not_published_where_nobody_asks_for_it) {
    const BusName name;
    Bus quiet(name);
    quiet.subscribe("*");
    Victim(name, agent_7(), take_some_of_everything).kill();
    ASSERT_TRUE(attach_and_leave(name));
    EXPECT_EQ(quiet.next(0ns).value().type(), "victim.event");
    EXPECT_EQ(quiet.next(0ns).value().type(), "victim.event");
    EXPECT_FALSE(quiet.next(0ns));
    EXPECT_EQ(name.look().writers, 0u) << "nor does anybody have an id for it";
}

// Who asks for presence is read from the inboxes' own memory, which their owners may give back
// meanwhile: what is touched after that is taken anew, for good, and a SIGBUS where /dev/shm is full.
TEST_F(Presence, is_told_without_touching_memory_that_its_owner_gives_back_at_that_moment) {
    if (kSanitized) GTEST_SKIP() << "sanitizers make closing far too long to be stepped through";
    const BusName name;
    Options small_tables = small_inbox();
    small_tables.max_participants = small_tables.max_subscribers = small_tables.max_types = 16;
    Bus bus(name, small_tables);
    const BusTables tables(name);
    const Taken before = tables.taken();
    const auto one_that_leaves = [&] {
        auto process = std::make_unique<SteppedProcess>([&] {
            std::optional<Bus> own(std::in_place, name, small_inbox());
            SteppedProcess::mark();
            own.reset();
            SteppedProcess::mark();
        });
        require(process->run_to_mark(), "it did not start");
        return process;
    };
    const auto with_the_lock = [&](SteppedProcess& process) {
        return BusTables::now(tables.header().control_holder_pid) == static_cast<std::uint32_t>(process.process().pid());
    };
    int length = 0;  // from closing to the control lock: in between it tells that it leaves
    {
        Bus reader = bus.separate(small_inbox());
        reader.subscribe("mine.*");
        const auto leaves = one_that_leaves();
        bus.separate(small_inbox()).subscribe("mine.*");  // takes the lock: the holder is another than who leaves
        while (!with_the_lock(*leaves) && length < 200'000) length += leaves->step(1);
    }
    ASSERT_LT(length, 200'000);
    RecordProperty("instructions", length);
    ASSERT_TRUE(attach_and_leave(name));
    constexpr int kPoints = 50;
    for (int point = 0; point < kPoints; ++point) {
        const auto leaves = one_that_leaves();
        {
            Bus reader = bus.separate(small_inbox());
            reader.subscribe("mine.*");
            leaves->step(point * length / kPoints);
        }
        EXPECT_TRUE(leaves->run_to_mark());
        leaves->process().kill();
        ASSERT_TRUE(attach_and_leave(name));
        ASSERT_EQ(tables.taken(), before) << "after " << point * length / kPoints << " instructions of " << length;
    }
}

// peers 10: nats.py 242
TEST_F(Presence, of_ten_subscribers_the_one_that_is_overrun_is_named_with_cause_and_count) {
    constexpr int kReaders = 10, kSlow = 7, kSent = 100;
    Channel<int> ready, done;
    std::array<Channel<int>, kReaders> go_on;
    std::vector<std::unique_ptr<Process>> readers;
    for (int r = 0; r < kReaders; ++r) {
        readers.push_back(std::make_unique<Process>([&, r] {
            Options options = small_inbox(Overflow::drop_newest, "reader-" + std::to_string(r));
            if (r != kSlow) options.capacity_slots = 1024;
            Bus bus(name_, options);
            bus.subscribe("load.*");
            ready.send(r);
            if (r == kSlow) go_on[r].receive();
            std::uint64_t known = 0;
            while (known < kSent) {
                const auto event = bus.next(kPatience);
                require(event.has_value(), "an event or losses");
                known += event->lost() + (*event ? 1 : 0);
            }
            require(bus.lost(LossCause::full) == (r == kSlow ? kSent - 16 : 0u), "losses");
            done.send(r);
            go_on[r].receive();  // it stays, or it would not be known whose inbox it was
        }));
        ASSERT_TRUE(ready.receive());
    }
    for (int n = 0; n < kSent; ++n) bus_.publish("load.tick", "");
    const std::string slow_one = "reader-" + std::to_string(kSlow);
    const auto slow = observers_[0].wait_for("bus.subscriber.slow", slow_one);
    ASSERT_TRUE(slow) << "within about a second";
    EXPECT_TRUE(says(*slow, "\"dropped\":84")) << *slow;
    EXPECT_TRUE(says(*slow, "\"pid\":" + std::to_string(readers[kSlow]->pid()))) << *slow;
    go_on[kSlow].send(1);
    const auto lost = observers_[0].wait_for("bus.events.lost", slow_one);
    ASSERT_TRUE(lost) << "when it reads on";
    EXPECT_TRUE(says(*lost, "\"lost\":84")) << *lost;
    EXPECT_TRUE(says(*lost, "\"by\":{\"full\":84}")) << *lost;
    for (int r = 0; r < kReaders; ++r) ASSERT_TRUE(done.receive());
    bus_.publish("mark.end", "");
    Observer& second = observers_[1];
    const auto told = second.counts_up_to_mark(slow_one);
    EXPECT_EQ(told.at("bus.subscriber.slow"), 1);
    EXPECT_EQ(told.at("bus.events.lost"), 1);
    bus_.publish("mark.end", "");
    for (int r = 0; r < kReaders; ++r) go_on[r].send(1);
    for (auto& reader : readers) EXPECT_TRUE(reader->ended_well());
}

TEST_F(Presence, one_that_has_caught_up_is_told_again_when_it_is_slow_again) {
    Channel<int> ready, read_all, caught_up;
    Process slow([&] {
        Bus bus(name_, agent_7());
        bus.subscribe("load.*");
        for (int round = 0; round < 2; ++round) {
            ready.send(round);
            read_all.receive();
            while (bus.next(1ms)) {}
            caught_up.send(round);
        }
        read_all.receive();
    });
    for (int round = 0; round < 2; ++round) {
        ASSERT_TRUE(ready.receive());
        for (int n = 0; n < 40; ++n) bus_.publish("load.tick", "");
        EXPECT_TRUE(observers_[0].wait_for("bus.subscriber.slow", "agent-7")) << "round " << round;
        read_all.send(round);
        ASSERT_TRUE(caught_up.receive());
    }
    bus_.publish("mark.end", "");
    EXPECT_EQ(observers_[1].counts_up_to_mark("agent-7").at("bus.subscriber.slow"), 2) << "and no more than that";
    read_all.send(2);
    EXPECT_TRUE(slow.ended_well());
}

}  // namespace
}  // namespace swarmbus::test
