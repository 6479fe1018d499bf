#include "agent_processes.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include <swarmbus/swarmbus.hpp>

namespace swarm {
namespace {

using namespace std::chrono_literals;

// No bus of that name exists: an agent that opens it says so and ends.
constexpr const char* kNoBus = "test-no-bus";

void wait_until_ended(AgentProcesses& processes) {
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (processes.running() > 0 && std::chrono::steady_clock::now() < deadline) processes.watch();
    ASSERT_EQ(processes.running(), 0u);
}

TEST(AgentProcesses, an_agent_that_fails_is_noticed_with_its_status_and_its_message) {
    AgentProcesses processes(SWARM_AGENTS, kNoBus, false);
    processes.start({"coder-1", "coder", "C++"});
    EXPECT_EQ(processes.running(), 1u);
    wait_until_ended(processes);
    EXPECT_TRUE(processes.any_ended_unasked());
    EXPECT_EQ(processes.all().front().fate, "exit 1");
    EXPECT_NE(processes.printed().find(kNoBus), std::string::npos) << processes.printed();
}

TEST(AgentProcesses, a_program_that_is_missing_is_an_error_that_names_it) {
    AgentProcesses processes(SWARM_AGENTS, kNoBus, false);
    try {
        processes.start({"ghost", "no-such-program", "C"});
        FAIL() << "started";
    } catch (const std::runtime_error& error) {
        EXPECT_NE(std::string(error.what()).find("no-such-program: No such file"), std::string::npos) << error.what();
    }
    EXPECT_TRUE(processes.all().empty());
}

TEST(AgentProcesses, one_that_does_not_end_when_asked_is_killed) {
    const std::string name = "test-processes-" + std::to_string(::getpid());
    struct Remove {
        const std::string& name;
        ~Remove() { swb_remove(name.c_str(), 1); }
    } const remove{name};
    swarmbus::Bus bus(name);
    bus.subscribe("agent.status.changed");
    AgentProcesses processes(SWARM_AGENTS, name, false);
    processes.start({"queue", "task-queue", "C"});
    ASSERT_TRUE(bus.next(30s)) << "it catches SIGTERM from here on";
    ASSERT_EQ(::kill(processes.all().front().pid, SIGSTOP), 0);
    processes.end(10ms);
    EXPECT_EQ(processes.running(), 0u);
    EXPECT_FALSE(processes.any_ended_unasked());
    EXPECT_EQ(processes.all().front().fate, "killed by signal 9");
}

class SleepingAgents : public testing::Test {
protected:
    // An agent gets the arguments BUS ID; `sleep 600 1` sleeps for 601 seconds.
    AgentProcesses processes{"/bin", "600", false};
};

TEST_F(SleepingAgents, one_that_is_killed_on_purpose_did_not_end_unasked) {
    processes.start({"1", "sleep", "C"});
    EXPECT_EQ(alive(processes.all()), 1u);
    processes.kill(0);
    EXPECT_EQ(alive(processes.all()), 0u);
    wait_until_ended(processes);
    EXPECT_TRUE(processes.all().front().killed);
    EXPECT_EQ(processes.all().front().fate, "killed (kill -9)");
    EXPECT_FALSE(processes.any_ended_unasked());
}

TEST_F(SleepingAgents, one_that_was_killed_is_started_again_in_its_place) {
    processes.start({"1", "sleep", "C"});
    processes.start({"2", "sleep", "C"});
    const pid_t first = processes.all()[0].pid;
    processes.kill(0);
    while (processes.all()[0].running) processes.watch();
    processes.restart(0);
    ASSERT_EQ(processes.all().size(), 2u);
    EXPECT_STREQ(processes.all()[0].spec.id, "1");
    EXPECT_NE(processes.all()[0].pid, first);
    EXPECT_EQ(alive(processes.all()), 2u);
    processes.end(30s);
    EXPECT_EQ(processes.running(), 0u);
    EXPECT_FALSE(processes.any_ended_unasked());
}

TEST(AgentProcesses, one_that_ended_by_itself_just_before_it_was_killed_ended_unasked) {
    AgentProcesses processes(SWARM_AGENTS, kNoBus, false);
    processes.start({"coder-1", "coder", "C++"});
    siginfo_t ended{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(processes.all().front().pid), &ended, WEXITED | WNOWAIT), 0);
    processes.kill(0);
    wait_until_ended(processes);
    EXPECT_FALSE(processes.all().front().killed);
    EXPECT_TRUE(processes.any_ended_unasked());
    EXPECT_EQ(processes.all().front().fate, "exit 1");
}

}  // namespace
}  // namespace swarm
