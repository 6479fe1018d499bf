#include "report.hpp"

#include <gtest/gtest.h>

#include "numbers.hpp"
#include "received.hpp"

namespace swarm {
namespace {

using namespace std::chrono_literals;

constexpr EventRate::Time kStart{1000s};

TEST(Report, numbers_have_commas_where_people_expect_them) {
    EXPECT_EQ(with_commas(0), "0");
    EXPECT_EQ(with_commas(999), "999");
    EXPECT_EQ(with_commas(1000), "1,000");
    EXPECT_EQ(with_commas(123456), "123,456");
    EXPECT_EQ(with_commas(1234567), "1,234,567");
}

TEST(Report, a_line_a_second_tells_rates_domains_agents_and_losses) {
    EventStatistics statistics;
    for (int i = 0; i < 1200; ++i) statistics.record(Received{.type = "agent.created"}.event(), kStart);
    statistics.record(Received{.type = "task.created", .evicted = 2}.event(), kStart);
    EXPECT_EQ(second_line(7, kStart + 100ms, statistics, 10, 11),
              "   7 s   1,201 events/s   in all: agent 1,200 task 1 system 0   10 of 11 agents alive   lost 2, reported by agents 0\n");
}

TEST(Report, the_summary_has_a_row_a_type_and_names_the_agents_that_died) {
    EventStatistics statistics;
    for (int i = 0; i < 30; ++i) statistics.record(Received{.type = "task.created"}.event(), kStart);
    const std::vector<AgentProcess> agents = {
        {.spec = {"coder-1", "coder", "C++"}, .pid = 4711, .fate = "exit 0"},
        {.spec = {"coder-2", "coder", "C++"}, .pid = 4712, .ended_unasked = true, .fate = "killed by signal 9"},
    };
    EXPECT_EQ(summary(statistics, {4s, 1, agents}),
              "\n"
              "  event type                        events  per second\n"
              "  task.created                          30         7.5\n"
              "  all                                   30         7.5\n"
              "\n"
              "lost 0, reported by agents 0\n"
              "agents started 2, alive at the end 1\n"
              "coder-2 (pid 4712) ended unasked: killed by signal 9\n");
}

}  // namespace
}  // namespace swarm
