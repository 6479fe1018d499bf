// What killed processes had is given back, by whoever comes across them first.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process_reaping.hpp"

namespace swarmbus::test {
namespace {

// A bus that the test keeps, what is taken there at first, and a process that is killed on it.
class Reap : public testing::Test {
protected:
    // Afterwards only what the test itself has is taken.
    void expect_all_given_back(const std::string& by) const { EXPECT_EQ(tables_.taken(), before_) << "by " << by; }
    bool all_given_back_in_time() const {
        return eventually([&] { return tables_.taken() == before_; });
    }
    void kill_one_with_some_of_everything() const {
        Victim victim(name_, small_inbox(), take_some_of_everything);
        EXPECT_EQ(tables_.taken().participants, before_.participants + 1);
        EXPECT_EQ(tables_.taken().inboxes, before_.inboxes + 3);
        EXPECT_EQ(tables_.taken().writers, before_.writers + 2);
        EXPECT_GT(tables_.taken().resident_bytes, before_.resident_bytes);
        victim.kill();
    }

    const BusName name_;
    Bus bus_{name_, small_inbox()};
    const BusTables tables_{name_};
    Taken before_ = tables_.taken();
};

TEST_F(Reap, who_attaches_gives_back_all_that_a_killed_process_had) {
    kill_one_with_some_of_everything();
    ASSERT_TRUE(attach_and_leave(name_));
    expect_all_given_back("one attach");
}

TEST_F(Reap, who_attaches_gives_back_what_many_had) {
    for (int round = 0; round < rounds(10, 3); ++round) {
        std::vector<std::unique_ptr<Victim>> victims;
        for (int i = 0; i < 8; ++i) victims.push_back(std::make_unique<Victim>(name_, small_inbox(), take_some_of_everything));
        for (auto& victim : victims) victim->kill();
        ASSERT_TRUE(attach_and_leave(name_));
        expect_all_given_back("one attach");
    }
}

TEST_F(Reap, a_sleeper_does_it_after_an_idle_second) {
    bus_.subscribe("mine.*");
    before_ = tables_.taken();
    kill_one_with_some_of_everything();
    Process watches([&] {  // a process of its own sleeps; the test must not look after the bus itself
        require(all_given_back_in_time(), "nobody reaped");
        Bus other(name_);
        other.publish("mine.end", "");
    });
    EXPECT_TRUE(bus_.next(kPatience)) << "the sleeper sleeps until then";
    EXPECT_TRUE(watches.ended_well());
}

// peers 1: eCAL 1206, libzmq 1769, iceoryx2
TEST_F(Reap, a_publisher_that_meets_the_full_block_inbox_of_a_killed_process_goes_on_and_the_place_is_free) {
    Publisher publisher = bus_.publisher("victim.event");
    publisher.publish(Message{});
    before_ = tables_.taken();
    for (int round = 0; round < rounds(10, 3); ++round) {
        Victim victim(name_, small_inbox(Overflow::block), [](Bus& bus) { bus.subscribe("victim.*"); });
        for (int n = 0; n < 16; ++n) ASSERT_EQ(publisher.publish(Message{}).delivered, 1u);
        victim.kill();
        const auto start = std::chrono::steady_clock::now();
        publisher.publish(Message{});
        // 100 ms is what is promised; ten times that on machines that are busy with something else. The
        // publisher itself would wait for minutes.
        EXPECT_LT(std::chrono::steady_clock::now() - start, kSanitized ? 5s : 1s);
        EXPECT_EQ(publisher.publish(Message{}).dropped, 0u) << "no subscriber any more";
        expect_all_given_back("the publisher");
    }
}

// peers 1: the subscriber dies while the publisher is in its wait.
TEST_F(Reap, a_publisher_in_its_wait_for_room_goes_on_when_the_subscriber_is_killed) {
    Victim victim(name_, small_inbox(Overflow::block), [](Bus& bus) { bus.subscribe("victim.*"); });
    const auto inbox = tables_.inbox_of(victim.pid());
    ASSERT_TRUE(inbox);
    Channel<std::chrono::steady_clock::time_point> back;
    Process publisher([&] {
        Bus bus(name_, small_inbox());
        for (int n = 0; n < 17; ++n) bus.publish("victim.event", "");
        back.send(std::chrono::steady_clock::now());
    });
    ASSERT_TRUE(eventually([&] { return (BusTables::now(tables_.inbox(*inbox).room) & 1) != 0; })) << "it waits";
    const auto killed = std::chrono::steady_clock::now();
    victim.kill();
    const auto went_on = back.receive();
    ASSERT_TRUE(went_on);
    EXPECT_LT(*went_on - killed, kSanitized ? 5s : 1s) << "100 ms, and ten times that for busy machines";
    EXPECT_TRUE(publisher.ended_well());
    EXPECT_EQ(tables_.taken().inboxes, before_.inboxes);
}

class StalledReader : public Reap {
protected:
    void SetUp() override {
        if (kSanitized) GTEST_SKIP() << "sanitizers make a publish far too long to be stepped through";
    }
    // A publisher that has claimed a position of our inbox, and is killed before it commits.
    void kill_one_with_a_claim(std::uint32_t inbox) const {
        SteppedProcess victim([this] {
            Bus bus(name_, small_inbox());
            Publisher publisher = bus.publisher("mine.event");
            publisher.publish("first");
            SteppedProcess::mark();
            publisher.publish("never committed");
            SteppedProcess::mark();
        });
        ASSERT_TRUE(victim.run_to_mark());
        const std::uint64_t hint = BusTables::now(tables_.inbox(inbox).hint);
        ASSERT_TRUE(step_until(victim, [&] { return tables_.unsettled_claims(inbox) > 0; }));
        ASSERT_LE(BusTables::now(tables_.inbox(inbox).hint), hint + 1);
        victim.process().kill();
    }
};

TEST_F(StalledReader, a_reader_that_stalls_on_the_claim_of_a_killed_publisher_settles_it_and_gives_back_the_rest) {
    Options options = small_inbox();
    options.stall_timeout = kLongWait;  // it is not passed for being slow
    Bus reader = bus_.separate(options);
    reader.subscribe("mine.*");
    bus_.publish("mine.first", "");
    ASSERT_TRUE(reader.next(0ns));
    before_ = tables_.taken();
    const std::uint32_t inbox = *tables_.inbox_of(::getpid());
    for (int round = 0; round < 20; ++round) {  // more than there are slots
        ASSERT_NO_FATAL_FAILURE(kill_one_with_a_claim(inbox));
        bus_.publish("mine.behind", std::to_string(round));
        ASSERT_EQ(reader.next(kPatience).value().text(), "first");
        ASSERT_EQ(reader.next(kPatience).value().text(), std::to_string(round));
        reader.release();
        EXPECT_FALSE(reader.next(1ms));
        ASSERT_EQ(tables_.unsettled_claims(inbox), 0u) << "the slot is in use again";
        ASSERT_EQ(tables_.taken(), before_);
    }
    EXPECT_EQ(reader.lost(LossCause::full) + reader.lost(LossCause::no_slot), 0u);
}

TEST_F(StalledReader, a_slot_set_aside_for_a_stopped_publisher_comes_back_when_that_was_killed) {
    Options options = small_inbox(Overflow::block);
    options.stall_timeout = 1ms;
    Bus reader = bus_.separate(options);
    reader.subscribe("mine.*");
    bus_.publish("mine.event", "");
    ASSERT_TRUE(reader.next(0ns));
    before_ = tables_.taken();
    const std::uint32_t inbox = *tables_.inbox_of(::getpid());
    SteppedProcess victim([this] {
        Bus bus(name_, small_inbox());
        Publisher publisher = bus.publisher("mine.event");
        SteppedProcess::mark();
        publisher.publish("never committed");
        SteppedProcess::mark();
    });
    ASSERT_TRUE(victim.run_to_mark());
    ASSERT_TRUE(step_until(victim, [&] { return tables_.unsettled_claims(inbox) > 0; }));
    ASSERT_NO_THROW(victim.leave_stopped());
    for (int n = 0; n < 40; ++n) {  // for laps
        bus_.publish("mine.event", std::to_string(n));
        ASSERT_EQ(reader.next(kPatience).value().text(), std::to_string(n));
        ASSERT_EQ(tables_.unsettled_claims(inbox), 1u) << "it may still write there";
    }
    ASSERT_TRUE(attach_and_leave(name_));
    EXPECT_EQ(tables_.unsettled_claims(inbox), 1u) << "the living are not reaped";
    victim.process().kill();
    ASSERT_TRUE(attach_and_leave(name_));
    EXPECT_EQ(tables_.unsettled_claims(inbox), 0u);
    EXPECT_EQ(tables_.taken(), before_);
    while (reader.next(0ns)) {}
    for (int n = 0; n < 16; ++n) EXPECT_EQ(bus_.publish("mine.event", Message{}).delivered, 1u) << "all 16 slots are there";
}

// Killed at points spread over a publish to living inboxes of every policy: one attach later no claim
// is left, and every slot is in use again.
TEST_F(StalledReader, no_claim_of_a_publisher_killed_anywhere_in_a_publish_outlives_one_attach) {
    std::vector<Bus> readers;
    for (const Overflow overflow : {Overflow::drop_oldest, Overflow::drop_newest, Overflow::block}) {
        readers.push_back(bus_.separate(small_inbox(overflow)));
        readers.back().subscribe("mine.*");
    }
    bus_.publish("mine.event", "");
    for (Bus& reader : readers) reader.next(0ns);
    before_ = tables_.taken();
    const auto start_one = [&] {
        auto victim = std::make_unique<SteppedProcess>([this] {
            Bus bus(name_, small_inbox());
            Publisher publisher = bus.publisher("mine.event");
            publisher.publish(Message{});
            SteppedProcess::mark();
            publisher.publish(Message{});
            SteppedProcess::mark();
        });
        require(victim->run_to_mark(), "the victim did not start");
        return victim;
    };
    const int length = start_one()->step(1'000'000);
    RecordProperty("instructions", length);
    ASSERT_LT(length, 100'000);
    std::random_device random;
    constexpr int kPoints = 60;
    for (int point = 0; point < kPoints; ++point) {
        const int instructions = (point * length + static_cast<int>(random() % static_cast<unsigned>(length))) / kPoints;
        SCOPED_TRACE("after " + std::to_string(instructions) + " instructions");
        const auto victim = start_one();
        victim->step(instructions);
        victim->process().kill();
        ASSERT_TRUE(attach_and_leave(name_));
        ASSERT_EQ(tables_.taken(), before_);
        for (std::uint32_t inbox = 0; inbox < 3; ++inbox) ASSERT_EQ(tables_.unsettled_claims(inbox), 0u);
        for (Bus& reader : readers) {
            while (reader.next(0ns)) {}
        }
        for (int n = 0; n < 16; ++n) ASSERT_EQ(bus_.publish("mine.event", Message{}).delivered, 3u) << "every slot is there";
        for (Bus& reader : readers) {
            for (int n = 0; n < 16; ++n) ASSERT_TRUE(reader.next(0ns));
            reader.release();
        }
    }
}

}  // namespace
}  // namespace swarmbus::test
