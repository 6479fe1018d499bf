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

TEST(Report, deaths_and_returns_are_told_with_the_others) {
    const AgentProcess agent{.spec = {"coder-1", "coder", "C++"}, .pid = 4711};
    Death death{.agent = 0, .killed = kStart};
    EXPECT_EQ(told(death, agent), "coder-1 (pid 4711) killed (kill -9)");
    death.restarted = kStart + 1s;
    EXPECT_EQ(told(death, agent), "coder-1 (pid 4711) started again");
    death.back = kStart + 1140ms;
    death.others = 1604;
    death.lost = 2;
    EXPECT_EQ(told(death, agent), "coder-1 back after 1.1 s; the others sent 1,604 events meanwhile, lost 2");
}

TEST(Report, a_line_a_second_has_the_running_totals_of_deaths) {
    const DeathToll toll{.killed = 3, .restarted = 2, .back = 1};
    const std::string line = second_line(1, kStart, EventStatistics(), 10, 11, &toll);
    EXPECT_TRUE(line.ends_with("lost 0, reported by agents 0   killed 3, restarted 2, back 1\n")) << line;
}

TEST(Report, the_summary_counts_deaths_and_names_who_did_not_come_back) {
    const std::vector<AgentProcess> agents = {{.spec = {"coder-1", "coder", "C++"}, .pid = 4711}};
    DeathToll toll{.killed = 2, .restarted = 2, .back = 2, .others = 2851, .lost = 3, .latest = Death{.agent = 0}};
    const std::string all_back = summary(EventStatistics(), {4s, 1, agents, &toll});
    EXPECT_TRUE(all_back.ends_with("\nagents killed 2, restarted 2, back 2; the others sent 2,851 events meanwhile, lost 3\n")) << all_back;
    toll.back = 1;
    const std::string one_away = summary(EventStatistics(), {4s, 1, agents, &toll});
    EXPECT_TRUE(one_away.ends_with("lost 3\ncoder-1 was killed and did not come back\n")) << one_away;
}

}  // namespace
}  // namespace swarm
