// The task queue agent, alone on a bus with a test that plays planner and workers.
#include <unistd.h>

#include <map>
#include <string>

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <swarmbus/swarmbus.hpp>

#include "agent_processes.hpp"

namespace swarm {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

class TaskQueue : public testing::Test {
protected:
    TaskQueue() {
        bus.subscribe("task.queued agent.task.assigned system.warning agent.status.changed");
        processes.start({"queue", "task-queue", "C"});
        next("agent.status.changed");
    }
    ~TaskQueue() override {
        processes.end(5s);
        swb_remove(name.c_str(), 1);
    }

    static std::string new_name() {
        static int count = 0;
        return "test-queue-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
    }

    // The payload of the next event, which must be of that type.
    json next(const std::string& type) {
        const auto event = bus.next(30s);
        if (!event) {
            ADD_FAILURE() << "no " << type;
            return json::object();
        }
        EXPECT_EQ(event->type(), type) << event->text();
        return json::parse(event->text());
    }
    void announce(const std::string& agent, const std::string& capability) {
        bus.publish("agent.capability.announced", json{{"agent_id", agent}, {"capability", capability}}.dump());
    }
    void create(const std::string& task, const std::string& kind) {
        bus.publish("task.created", json{{"task_id", task}, {"metadata", {{"kind", kind}, {"goal", "g-1"}}}}.dump());
    }
    void complete(const std::string& agent) { bus.publish("agent.task.completed", json{{"agent_id", agent}}.dump()); }

    const std::string name = new_name();
    swarmbus::Bus bus{name};
    AgentProcesses processes{SWARM_AGENTS, name, false};
};

TEST_F(TaskQueue, gives_a_task_to_the_agent_that_can_do_it) {
    announce("tester-1", "test");
    announce("coder-1", "code");
    create("t-1", "code");
    EXPECT_EQ(next("task.queued")["task_id"], "t-1");
    const json assigned = next("agent.task.assigned");
    EXPECT_EQ(assigned["task_id"], "t-1");
    EXPECT_EQ(assigned["agent_id"], "coder-1");
    EXPECT_EQ(assigned["metadata"], (json{{"kind", "code"}, {"goal", "g-1"}}));
}

TEST_F(TaskQueue, keeps_a_task_until_an_agent_is_idle) {
    announce("coder-1", "code");
    create("t-1", "code");
    create("t-2", "code");
    EXPECT_EQ(next("task.queued")["task_id"], "t-1");
    // Whether t-2 is queued before t-1 is assigned depends on how they arrive.
    std::map<std::string, std::string> seen;
    for (int i = 0; i < 2; ++i) {
        const auto event = bus.next(30s);
        ASSERT_TRUE(event);
        seen[std::string(event->type())] = json::parse(event->text())["task_id"];
    }
    EXPECT_EQ(seen, (std::map<std::string, std::string>{{"agent.task.assigned", "t-1"}, {"task.queued", "t-2"}}));
    complete("coder-1");
    EXPECT_EQ(next("agent.task.assigned")["task_id"], "t-2");
}

TEST_F(TaskQueue, takes_a_task_back_from_an_agent_that_does_not_answer) {
    announce("coder-1", "code");
    create("t-1", "code");
    next("task.queued");
    EXPECT_EQ(next("agent.task.assigned")["agent_id"], "coder-1");
    announce("coder-2", "code");
    EXPECT_EQ(next("system.warning")["reason"], "coder-1 does not answer");
    EXPECT_EQ(next("task.queued")["task_id"], "t-1");
    const json again = next("agent.task.assigned");
    EXPECT_EQ(again["task_id"], "t-1");
    EXPECT_EQ(again["agent_id"], "coder-2");
}

TEST_F(TaskQueue, takes_a_task_back_from_an_agent_that_begins_anew) {
    announce("coder-1", "code");
    create("t-1", "code");
    next("task.queued");
    EXPECT_EQ(next("agent.task.assigned")["agent_id"], "coder-1");
    announce("coder-1", "code");
    EXPECT_EQ(next("task.queued")["task_id"], "t-1");
    const json again = next("agent.task.assigned");
    EXPECT_EQ(again["task_id"], "t-1");
    EXPECT_EQ(again["agent_id"], "coder-1");
}

TEST_F(TaskQueue, gives_work_again_to_an_agent_that_did_not_answer_and_begins_anew) {
    announce("coder-1", "code");
    create("t-1", "code");
    next("task.queued");
    next("agent.task.assigned");
    EXPECT_EQ(next("system.warning")["reason"], "coder-1 does not answer");
    next("task.queued");
    announce("coder-1", "code");
    EXPECT_EQ(next("agent.task.assigned")["agent_id"], "coder-1");
}

TEST_F(TaskQueue, passes_over_what_it_can_not_read) {
    for (const char* payload :
         {"", "{", "[]", R"({"task_id":"t-0"})", R"({"task_id":"a-name-that-is-far-too-long","metadata":{"kind":"code"}})"}) {
        bus.publish("task.created", payload);
        bus.publish("agent.capability.announced", payload);
        bus.publish("agent.task.completed", payload);
    }
    announce("coder-1", "code");
    create("t-1", "code");
    EXPECT_EQ(next("task.queued")["task_id"], "t-1");
    EXPECT_EQ(next("agent.task.assigned")["task_id"], "t-1");
}

}  // namespace
}  // namespace swarm
