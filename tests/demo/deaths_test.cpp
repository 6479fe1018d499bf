// Deaths on purpose: the processes are real, the time and the events that arrive are the test's.
#include "deaths.hpp"

#include <signal.h>

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "received.hpp"

namespace swarm {
namespace {

using namespace std::chrono_literals;

constexpr Death::Time kStart{1000s};
constexpr auto kEvery = 4s;

class DeathsTest : public testing::Test {
protected:
    // As many agents as the demo has. They get the arguments BUS ID: `sleep 600 1` sleeps for 601 seconds.
    DeathsTest() {
        for (const std::string& id : ids) processes.start({id.c_str(), "sleep", "C"});
        for (const std::string& id : ids) hear(id);
    }

    void hear(const std::string& id, std::uint64_t evicted = 0) {
        statistics.record(Received{.type = "agent.created", .source = id, .evicted = evicted}.event(), kStart);
    }
    void watch_until_ended(std::size_t place) {
        const auto deadline = std::chrono::steady_clock::now() + 30s;
        while (processes.all()[place].running && std::chrono::steady_clock::now() < deadline) processes.watch();
        ASSERT_FALSE(processes.all()[place].running);
    }
    const std::string& victim() const { return ids[deaths.toll().latest->agent]; }
    const AgentProcess& victim_process() const { return processes.all()[deaths.toll().latest->agent]; }

    // Kills one at that time and brings it back a second later.
    void one_dies_and_returns(Death::Time time) {
        ASSERT_TRUE(deaths.turn(time));
        watch_until_ended(deaths.toll().latest->agent);
        deaths.turn(time);
        deaths.turn(time + 1s);
        hear(victim());
        ASSERT_TRUE(deaths.turn(time + 1s));
    }

    const std::vector<std::string> ids{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"};
    EventStatistics statistics;
    AgentProcesses processes{"/bin", "600", false};
    Deaths deaths{processes, statistics, {.first = kStart, .every = kEvery, .last = kStart + 60s}};
};

TEST_F(DeathsTest, nobody_dies_before_the_first_time_or_after_the_last) {
    EXPECT_FALSE(deaths.turn(kStart - 1ms));
    EXPECT_FALSE(deaths.turn(kStart + 60s + 1ms));
    EXPECT_EQ(deaths.toll().killed, 0u);
    EXPECT_EQ(alive(processes.all()), ids.size());
}

TEST_F(DeathsTest, one_agent_is_killed_and_started_again_a_second_later) {
    EXPECT_TRUE(deaths.turn(kStart));
    EXPECT_EQ(deaths.toll().killed, 1u);
    EXPECT_EQ(alive(processes.all()), ids.size() - 1);
    watch_until_ended(deaths.toll().latest->agent);
    EXPECT_FALSE(deaths.turn(kStart + 10ms));
    EXPECT_FALSE(deaths.turn(kStart + 1s - 1ms));
    EXPECT_EQ(deaths.toll().restarted, 0u);
    EXPECT_FALSE(deaths.turn(kStart + 1s));
    EXPECT_EQ(deaths.toll().restarted, 1u);
    EXPECT_TRUE(victim_process().running);
}

TEST_F(DeathsTest, it_is_back_when_its_events_arrive_not_when_it_runs) {
    deaths.turn(kStart);
    watch_until_ended(deaths.toll().latest->agent);
    deaths.turn(kStart + 10ms);
    deaths.turn(kStart + 1s);
    EXPECT_FALSE(deaths.turn(kStart + 10s));
    EXPECT_TRUE(deaths.toll().any_away());
    hear(victim());
    EXPECT_TRUE(deaths.turn(kStart + 11s));
    EXPECT_FALSE(deaths.toll().any_away());
    EXPECT_EQ(deaths.toll().back, 1u);
    EXPECT_EQ(*deaths.toll().latest->back, kStart + 11s);
}

TEST_F(DeathsTest, what_it_published_before_it_died_is_no_return) {
    deaths.turn(kStart);
    watch_until_ended(deaths.toll().latest->agent);
    deaths.turn(kStart + 5s);  // death is noticed late; it may have published until now
    EXPECT_EQ(deaths.toll().restarted, 0u);
    hear(victim());
    deaths.turn(kStart + 5s);
    EXPECT_EQ(deaths.toll().restarted, 1u);
    EXPECT_FALSE(deaths.turn(kStart + 6s));
}

TEST_F(DeathsTest, events_of_the_others_and_losses_are_counted_while_one_is_away) {
    one_dies_and_returns(kStart);
    EXPECT_EQ(deaths.toll().others, 0u);
    ASSERT_TRUE(deaths.turn(kStart + kEvery));
    const std::size_t place = deaths.toll().latest->agent;
    watch_until_ended(place);
    deaths.turn(kStart + kEvery);
    for (int i = 0; i < 5; ++i) hear(ids[(place + 1) % ids.size()], 1);
    deaths.turn(kStart + kEvery + 1s);
    hear(victim());
    ASSERT_TRUE(deaths.turn(kStart + kEvery + 1s));
    EXPECT_EQ(deaths.toll().latest->others, 5u);
    EXPECT_EQ(deaths.toll().latest->lost, 5u);
    EXPECT_EQ(deaths.toll().others, 5u);
    EXPECT_EQ(deaths.toll().lost, 5u);
}

TEST_F(DeathsTest, the_next_one_dies_when_its_time_has_come_and_nobody_is_away) {
    deaths.turn(kStart);
    watch_until_ended(deaths.toll().latest->agent);
    deaths.turn(kStart + 10ms);
    deaths.turn(kStart + 1s);
    EXPECT_FALSE(deaths.turn(kStart + kEvery)) << "one is away";
    hear(victim());
    EXPECT_TRUE(deaths.turn(kStart + kEvery)) << "it is back";
    EXPECT_EQ(deaths.toll().killed, 1u);
    EXPECT_TRUE(deaths.turn(kStart + kEvery));
    EXPECT_EQ(deaths.toll().killed, 2u);
}

TEST_F(DeathsTest, everybody_has_a_turn) {
    std::multiset<std::string> victims;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        one_dies_and_returns(kStart + i * kEvery);
        victims.insert(victim());
    }
    EXPECT_EQ(victims, std::multiset<std::string>(ids.begin(), ids.end()));
    EXPECT_FALSE(processes.any_ended_unasked());
}

TEST_F(DeathsTest, one_that_was_not_heard_of_or_ended_by_itself_is_passed_over) {
    EventStatistics few;
    for (const char* id : {"2", "9"}) few.record(Received{.type = "agent.created", .source = id}.event(), kStart);
    Deaths of_few(processes, few, {.first = kStart, .every = kEvery});
    ASSERT_EQ(::kill(processes.all()[8].pid, SIGTERM), 0);
    watch_until_ended(8);
    EXPECT_TRUE(of_few.turn(kStart));
    EXPECT_EQ(ids[of_few.toll().latest->agent], "2");

    const EventStatistics nothing;
    Deaths of_none(processes, nothing, {.first = kStart, .every = kEvery});
    EXPECT_FALSE(of_none.turn(kStart));
    EXPECT_EQ(of_none.toll().killed, 0u);
}

TEST_F(DeathsTest, in_a_hurry_nobody_dies_and_who_is_away_is_started_at_once) {
    deaths.turn(kStart);
    watch_until_ended(deaths.toll().latest->agent);
    deaths.hurry();
    deaths.turn(kStart + 10ms);
    deaths.turn(kStart + 20ms);
    EXPECT_EQ(deaths.toll().restarted, 1u);
    EXPECT_TRUE(deaths.may_come_back());
    hear(victim());
    EXPECT_TRUE(deaths.turn(kStart + 30ms));
    EXPECT_FALSE(deaths.may_come_back());
    EXPECT_FALSE(deaths.turn(kStart + 30s));
    EXPECT_EQ(deaths.toll().killed, 1u);
}

TEST_F(DeathsTest, one_that_ends_by_itself_once_it_was_started_again_does_not_come_back) {
    deaths.turn(kStart);
    watch_until_ended(deaths.toll().latest->agent);
    deaths.turn(kStart + 10ms);
    deaths.turn(kStart + 1s);
    ASSERT_EQ(::kill(victim_process().pid, SIGTERM), 0);
    watch_until_ended(deaths.toll().latest->agent);
    EXPECT_FALSE(deaths.may_come_back());
    EXPECT_FALSE(deaths.turn(kStart + 10s));
    EXPECT_TRUE(deaths.toll().any_away());
    EXPECT_TRUE(processes.any_ended_unasked());
    EXPECT_EQ(deaths.toll().restarted, 1u);
}

}  // namespace
}  // namespace swarm
