// The task queue agent, alone on a bus with a test that plays planner and workers.
#include <unistd.h>

#include <map>
#include <string>

#include <gtest/gtest.h>

#include <swarmbus/events.hpp>
#include <swarmbus/swarmbus.hpp>

#include "agent_processes.hpp"
#include "metadata.hpp"

namespace swarm {
namespace {

using namespace std::chrono_literals;
namespace events = swarmbus::events;

class TaskQueue : public testing::Test {
protected:
    TaskQueue() {
        bus.subscribe("task.queued agent.task.assigned system.warning agent.status.changed");
        processes.start({"queue", "task-queue", "C"});
        next<events::AgentStatusChanged>();
    }
    ~TaskQueue() override {
        processes.end(5s);
        swb_remove(name.c_str(), 1);
    }

    static std::string new_name() {
        static int count = 0;
        return "test-queue-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
    }

    // The payload of the next event, which must be such a table.
    template <typename Table>
    typename Table::NativeTableType next() {
        typename Table::NativeTableType object;
        const auto event = bus.next(30s);
        const Table* const table = event ? event->as<Table>() : nullptr;
        if (table != nullptr) table->UnPackTo(&object);
        else ADD_FAILURE() << "no " << swarmbus::EventTypeOf<Table>::name << (event ? ", but " + std::string(event->type()) : "");
        return object;
    }
    void announce(const std::string& agent, const std::string& capability) {
        events::AgentCapabilityAnnouncedT announced;
        announced.agent_id = agent;
        announced.capability = capability;
        bus.publish(announced);
    }
    void create(const std::string& task, const std::string& kind) {
        events::TaskCreatedT created;
        created.task_id = task;
        created.metadata = metadata({{"kind", kind}, {"goal", "g-1"}});
        bus.publish(created);
    }
    void complete(const std::string& agent) {
        events::AgentTaskCompletedT completed;
        completed.agent_id = agent;
        bus.publish(completed);
    }

    const std::string name = new_name();
    swarmbus::Bus bus{name};
    AgentProcesses processes{SWARM_AGENTS, name, false};
};

TEST_F(TaskQueue, gives_a_task_to_the_agent_that_can_do_it) {
    announce("tester-1", "test");
    announce("coder-1", "code");
    create("t-1", "code");
    EXPECT_EQ(next<events::TaskQueued>().task_id, "t-1");
    const events::AgentTaskAssignedT assigned = next<events::AgentTaskAssigned>();
    EXPECT_EQ(assigned.task_id, "t-1");
    EXPECT_EQ(assigned.agent_id, "coder-1");
    ASSERT_NE(assigned.metadata, nullptr);
    ASSERT_EQ(assigned.metadata->items.size(), 2u);
    EXPECT_EQ(assigned.metadata->items[1]->name, "goal");
    EXPECT_EQ(assigned.metadata->items[1]->text, "g-1");
}

TEST_F(TaskQueue, keeps_a_task_until_an_agent_is_idle) {
    announce("coder-1", "code");
    create("t-1", "code");
    create("t-2", "code");
    EXPECT_EQ(next<events::TaskQueued>().task_id, "t-1");
    // Whether t-2 is queued before t-1 is assigned depends on how they arrive.
    std::map<std::string, std::string> seen;
    for (int i = 0; i < 2; ++i) {
        const auto event = bus.next(30s);
        ASSERT_TRUE(event);
        if (const auto* const assigned = event->as<events::AgentTaskAssigned>()) seen["assigned"] = assigned->task_id()->str();
        if (const auto* const queued = event->as<events::TaskQueued>()) seen["queued"] = queued->task_id()->str();
    }
    EXPECT_EQ(seen, (std::map<std::string, std::string>{{"assigned", "t-1"}, {"queued", "t-2"}}));
    complete("coder-1");
    EXPECT_EQ(next<events::AgentTaskAssigned>().task_id, "t-2");
}

TEST_F(TaskQueue, takes_a_task_back_from_an_agent_that_does_not_answer) {
    announce("coder-1", "code");
    create("t-1", "code");
    next<events::TaskQueued>();
    EXPECT_EQ(next<events::AgentTaskAssigned>().agent_id, "coder-1");
    announce("coder-2", "code");
    EXPECT_EQ(next<events::SystemWarning>().message, "coder-1 does not answer");
    EXPECT_EQ(next<events::TaskQueued>().task_id, "t-1");
    const events::AgentTaskAssignedT again = next<events::AgentTaskAssigned>();
    EXPECT_EQ(again.task_id, "t-1");
    EXPECT_EQ(again.agent_id, "coder-2");
}

TEST_F(TaskQueue, takes_a_task_back_from_an_agent_that_begins_anew) {
    announce("coder-1", "code");
    create("t-1", "code");
    next<events::TaskQueued>();
    EXPECT_EQ(next<events::AgentTaskAssigned>().agent_id, "coder-1");
    announce("coder-1", "code");
    EXPECT_EQ(next<events::TaskQueued>().task_id, "t-1");
    const events::AgentTaskAssignedT again = next<events::AgentTaskAssigned>();
    EXPECT_EQ(again.task_id, "t-1");
    EXPECT_EQ(again.agent_id, "coder-1");
}

TEST_F(TaskQueue, gives_work_again_to_an_agent_that_did_not_answer_and_begins_anew) {
    announce("coder-1", "code");
    create("t-1", "code");
    next<events::TaskQueued>();
    next<events::AgentTaskAssigned>();
    EXPECT_EQ(next<events::SystemWarning>().message, "coder-1 does not answer");
    next<events::TaskQueued>();
    announce("coder-1", "code");
    EXPECT_EQ(next<events::AgentTaskAssigned>().agent_id, "coder-1");
}

TEST_F(TaskQueue, passes_over_what_it_can_not_read) {
    for (const char* type : {"task.created", "agent.capability.announced", "agent.task.completed"}) {
        swarmbus::Message message;
        message.payload = swarmbus::as_payload("no table");
        for (const swarmbus::Encoding encoding : {swarmbus::Encoding::bytes, swarmbus::Encoding::json, swarmbus::Encoding::flatbuffers}) {
            message.encoding = encoding;
            bus.publish(type, message);
        }
        bus.publish_json(type, "{}");
    }
    bus.publish_json("task.created", R"({"task_id":"t-0"})");
    bus.publish_json("task.created", R"({"task_id":"t-0","metadata":7})");
    bus.publish_json("task.created", R"({"task_id":"a-name-that-is-far-too-long","metadata":{"kind":"code"}})");
    announce("coder-1", "code");
    create("t-1", "code");
    EXPECT_EQ(next<events::TaskQueued>().task_id, "t-1");
    EXPECT_EQ(next<events::AgentTaskAssigned>().task_id, "t-1");
}

}  // namespace
}  // namespace swarm
