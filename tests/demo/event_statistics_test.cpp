#include "event_statistics.hpp"

#include <gtest/gtest.h>

#include "received.hpp"

namespace swarm {
namespace {

using namespace std::chrono_literals;

constexpr EventRate::Time kStart{1000s};

TEST(EventRate, counts_the_last_second) {
    EventRate rate;
    for (int i = 0; i < 30; ++i) rate.add(kStart + i * 100ms);
    EXPECT_EQ(rate.per_second(kStart + 3s), 10u);
}

TEST(EventRate, leaves_out_the_step_that_is_under_way) {
    EventRate rate;
    rate.add(kStart);
    EXPECT_EQ(rate.per_second(kStart + 50ms), 0u);
    EXPECT_EQ(rate.per_second(kStart + 100ms), 1u);
}

TEST(EventRate, forgets_after_a_second) {
    EventRate rate;
    rate.add(kStart);
    EXPECT_EQ(rate.per_second(kStart + 1s), 1u);
    EXPECT_EQ(rate.per_second(kStart + 1100ms), 0u);
}

TEST(EventRate, starts_a_place_anew_when_it_comes_round) {
    EventRate rate;
    rate.add(kStart);
    rate.add(kStart + 1600ms);  // the same place, a round later
    EXPECT_EQ(rate.per_second(kStart + 1700ms), 1u);
}

TEST(EventStatistics, counts_by_type_in_alphabetical_order) {
    EventStatistics statistics;
    for (const char* type : {"task.started", "agent.created", "task.started"}) statistics.record(Received{.type = type}.event(), kStart);
    const auto types = statistics.types(kStart + 100ms);
    ASSERT_EQ(types.size(), 2u);
    EXPECT_EQ(types[0].type, "agent.created");
    EXPECT_EQ(types[1].type, "task.started");
    EXPECT_EQ(types[1].total, 2u);
    EXPECT_EQ(types[1].per_second, 2u);
    EXPECT_EQ(statistics.total(), 3u);
    EXPECT_EQ(statistics.per_second(kStart + 100ms), 3u);
}

TEST(EventStatistics, sums_a_domain_but_not_what_only_begins_like_it) {
    EventStatistics statistics;
    for (const char* type : {"task.started", "task.failed", "taskforce.formed", "task"})
        statistics.record(Received{.type = type}.event(), kStart);
    EXPECT_EQ(statistics.domain_total("task"), 3u);
}

TEST(EventStatistics, knows_what_an_agent_does) {
    EventStatistics statistics;
    statistics.record(status_changed("coder-1", "busy").event(), kStart);
    statistics.record(Received{.type = "task.started", .source = "coder-1"}.event(), kStart);
    const AgentActivity* coder = statistics.agent("coder-1");
    ASSERT_NE(coder, nullptr);
    EXPECT_EQ(coder->status, "busy");
    EXPECT_EQ(coder->last_type, "task.started");
    EXPECT_EQ(coder->events, 2u);
    EXPECT_EQ(statistics.agent("coder-2"), nullptr);
}

TEST(EventStatistics, adds_up_its_own_losses_by_cause_whether_an_event_followed_or_not) {
    EventStatistics statistics;
    statistics.record(Received{.type = "task.started", .evicted = 3}.event(), kStart);
    statistics.record(Received{.type = "", .evicted = 4}.event(), kStart);
    EXPECT_EQ(statistics.lost(), 7u);
    EXPECT_EQ(statistics.lost(swarmbus::LossCause::evicted), 7u);
    EXPECT_EQ(statistics.lost(swarmbus::LossCause::full), 0u);
    EXPECT_EQ(statistics.total(), 1u);
}

TEST(EventStatistics, adds_up_the_losses_that_agents_report) {
    EventStatistics statistics;
    statistics.record(lost_events("archivist", 12).event(), kStart);
    statistics.record(lost_events("archivist", 30).event(), kStart);
    EXPECT_EQ(statistics.agent("archivist")->lost, 42u);
    EXPECT_EQ(statistics.lost_by_agents(), 42u);
    EXPECT_EQ(statistics.lost(), 0u);
}

TEST(EventStatistics, leaves_out_what_the_bus_says_of_itself_but_not_the_losses_told_with_it) {
    EventStatistics statistics;
    statistics.record(Received{.type = "bus.participant.died", .source = "coder-1", .evicted = 3}.event(), kStart);
    statistics.record(Received{.type = "business.opened", .source = "coder-2"}.event(), kStart);
    EXPECT_EQ(statistics.total(), 1u);
    EXPECT_EQ(statistics.types(kStart).size(), 1u);
    EXPECT_EQ(statistics.agent("coder-1"), nullptr);
    EXPECT_EQ(statistics.lost(), 3u);
}

TEST(EventStatistics, passes_over_payloads_that_are_not_what_they_should_be) {
    EventStatistics statistics;
    for (const swarmbus::Encoding encoding : {swarmbus::Encoding::json, swarmbus::Encoding::flatbuffers}) {
        for (const char* payload : {"", "{", R"({"new_status":"busy","metadata":{"lost":7}})", "\xff\xff\xff\xff\xff\xff\xff\xff"}) {
            statistics.record(Received{.type = "agent.status.changed", .payload = payload, .encoding = encoding}.event(), kStart);
            statistics.record(Received{.type = "system.warning", .payload = payload, .encoding = encoding}.event(), kStart);
        }
    }
    statistics.record(received_table(swarmbus::events::AgentStatusChangedT()).event(), kStart);
    statistics.record(received_table(swarmbus::events::SystemWarningT()).event(), kStart);
    statistics.record(lost_events("agent-7", -1).event(), kStart);
    swarmbus::events::SystemWarningT warning;
    warning.metadata = metadata({{"lost", "many"}});
    statistics.record(received_table(warning).event(), kStart);
    EXPECT_EQ(statistics.total(), 20u);
    EXPECT_EQ(statistics.agent("agent-7")->status, "");
    EXPECT_EQ(statistics.lost_by_agents(), 0u);
}

}  // namespace
}  // namespace swarm
