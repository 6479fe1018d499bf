#include "display.hpp"

#include <optional>

#include <gtest/gtest.h>

#include "received.hpp"

namespace swarm {
namespace {

using namespace std::chrono_literals;

constexpr EventRate::Time kStart{1000s};

class Display : public testing::Test {
protected:
    Display() {
        agents.push_back({.spec = {"coder-1", "coder", "C++"}, .pid = 4711, .running = true});
        agents.push_back(
            {.spec = {"tester-1", "tester", "C"}, .pid = 4712, .running = false, .ended_unasked = true, .fate = "killed by signal 9"});
        receive(status_changed("coder-1", "busy"));
        for (int i = 0; i < 1500; ++i) receive({.type = "task.started", .source = "coder-1", .payload = R"({"task_id":"t-1"})"});
        latest.turn();
    }

    void receive(const Received& received) {
        statistics.record(received.event(), kStart + 62s);
        latest.offer(received.event());
    }

    std::string gateway = "http://127.0.0.1:7480";

    std::vector<std::string> lines(std::size_t rows, std::size_t columns) const {
        const Canvas canvas =
            draw({bus, "./dev swarmbus", gateway, kStart, kStart + 62s + 100ms, statistics, latest, agents, deaths ? &*deaths : nullptr},
                 rows, columns);
        std::vector<std::string> lines;
        for (std::size_t row = 0; row < canvas.rows(); ++row) lines.push_back(canvas.text(row));
        return lines;
    }

    static std::string joined(const std::vector<std::string>& lines) {
        std::string all;
        for (const std::string& line : lines) all += line + "\n";
        return all;
    }

    const std::string bus = "demo-1";
    EventStatistics statistics;
    LatestEvents latest{5, [](const swarmbus::Event& event) { return std::string(event.text()); }};
    std::vector<AgentProcess> agents;
    std::optional<DeathToll> deaths;
};

TEST_F(Display, the_title_tells_bus_time_rate_and_who_is_alive) {
    const std::string title = lines(24, 80).front();
    EXPECT_EQ(title, " SwarmBus demo   bus demo-1   1:02         1,501 events/s   1 of 2 agents alive");
}

TEST_F(Display, each_type_has_a_line_with_its_rate) {
    const auto shown = lines(24, 80);
    EXPECT_EQ(shown[2].substr(0, 34), " agent.status.changed           1 ");
    EXPECT_EQ(shown[3].substr(0, 34), " task.started               1,500 ");
}

TEST_F(Display, each_agent_has_a_line_with_pid_status_and_last_event) {
    const auto shown = lines(24, 80);
    EXPECT_EQ(shown[2].substr(35), "coder-1        4711 busy     started");
    EXPECT_EQ(shown[3].substr(35), "tester-1       4712 killed by signal 9");
}

TEST_F(Display, an_agent_that_is_killed_is_shown_as_dead_until_its_events_are_back) {
    const auto now = kStart + 62s;
    AgentProcess& coder = agents.front();
    deaths = DeathToll{.killed = 3, .restarted = 2, .back = 2, .others = 2851, .latest = Death{.agent = 0, .killed = now - 1s}};
    EXPECT_EQ(lines(24, 80)[2].substr(35), "coder-1        4711 killed (kill -9)");  // not reaped yet
    coder.running = false;
    coder.killed = true;
    coder.fate = "killed (kill -9)";
    EXPECT_EQ(lines(24, 80)[2].substr(35), "coder-1        4711 killed (kill -9)");
    EXPECT_EQ(lines(24, 80)[5], " DEATHS  3   restarts 2   back 2   others sent 2,851 meanwhile, lost 0");
    EXPECT_EQ(lines(24, 80)[6], "   coder-1 (pid 4711) killed (kill -9)");

    coder = {.spec = coder.spec, .pid = 4720, .running = true};
    deaths->restarted = 3;
    deaths->latest->restarted = now;
    EXPECT_EQ(lines(24, 80)[2].substr(35), "coder-1        4720 started again");
    EXPECT_EQ(lines(24, 80)[6], "   coder-1 (pid 4720) started again");

    deaths->back = 3;
    deaths->latest->back = now + 100ms;
    deaths->latest->others = 1604;
    EXPECT_EQ(lines(24, 80)[2].substr(35), "coder-1        4720 back after 1.1 s");
    EXPECT_EQ(lines(24, 80)[6], "   coder-1 back after 1.1 s; the others sent 1,604 events meanwhile, lost 0");

    deaths->latest->back = now - 2s;
    EXPECT_EQ(lines(24, 80)[2].substr(35), "coder-1        4720 busy     started");
}

TEST_F(Display, a_wide_window_shows_totals_and_interfaces) {
    const auto shown = lines(24, 120);
    EXPECT_EQ(shown[3].substr(0, 57), " task.started                    1,500             1,500 ");
    EXPECT_EQ(shown[2].substr(59), "coder-1        4711  C++  busy      task.started");
}

TEST_F(Display, losses_are_shown_with_who_reports_them) {
    Received warning = lost_events("coder-1", 1200);
    warning.evicted = 5;
    receive(warning);
    EXPECT_NE(joined(lines(24, 80)).find(" LOST  by this viewer 5   coder-1 reports 1,200\n"), std::string::npos) << joined(lines(24, 80));
}

TEST_F(Display, the_latest_events_come_with_source_and_payload) {
    const std::string all = joined(lines(24, 80));
    EXPECT_NE(all.find(R"(task.started               coder-1     {"task_id":"t-1"})"), std::string::npos) << all;
}

TEST_F(Display, types_that_have_no_room_are_counted) {
    for (int i = 0; i < 100; ++i) receive({.type = "x." + std::to_string(i)});
    const auto shown = lines(24, 80);
    EXPECT_EQ(shown[20].substr(0, 33), " and 84 more");
    EXPECT_EQ(shown[21].substr(0, 5), " LOST");
}

TEST_F(Display, fits_every_size) {
    deaths = DeathToll{.killed = 1, .latest = Death{.agent = 0}};
    for (std::size_t rows = 0; rows < 45; ++rows) {
        for (std::size_t columns = 0; columns < 130; ++columns) {
            const auto shown = lines(rows, columns);
            ASSERT_EQ(shown.size(), std::max<std::size_t>(rows, 1));
            for (const std::string& line : shown) ASSERT_LE(line.size(), std::max<std::size_t>(columns, 1));
        }
    }
}

}  // namespace
}  // namespace swarm
