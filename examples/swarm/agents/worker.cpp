#include "worker.hpp"

#include <thread>
#include <utility>

namespace swarm {
namespace {

Json task_event(const Task& task, const std::string& agent, const char* status) {
    return {{"task_id", task.id}, {"agent_id", agent}, {"status", status}, {"metadata", task.metadata}};
}

}  // namespace

Worker::Worker(const agent_start& start, std::string capability)
    : agent_(start),
      capability_(std::move(capability)),
      chance_(static_cast<std::mt19937::result_type>(std::hash<std::string>()(agent_.id()))) {}

void Worker::run() {
    agent_.bus().subscribe("agent.task.assigned", [this](const swarmbus::Event& event) {
        if (event.subject() == agent_.id()) on_assigned(event);
    });
    agent_.bus().subscribe("agent.created", [this](const swarmbus::Event& event) {
        if (event.subject() == AGENT_QUEUE_ID) announce();
    });
    agent_.set_status("idle", "ready");
    announce();
    agent_.bus().run();
    agent_.set_status("ended", "the demo ends");
}

void Worker::announce() {
    agent_.publish("agent.capability.announced", agent_.id(), {{"agent_id", agent_.id()}, {"capability", capability_}});
}

void Worker::on_assigned(const swarmbus::Event& event) {
    const Json payload = parse(event);
    Task task{text_of(payload, "task_id"), payload.value("metadata", Json::object())};
    if (task.id.empty()) return;

    agent_.set_status("busy", task.id);
    agent_.publish("task.started", task.id, task_event(task, agent_.id(), "started"));
    const Outcome outcome = work(task);
    const char* status = outcome.success ? "completed" : "failed";
    agent_.publish(outcome.success ? "task.completed" : "task.failed", task.id, task_event(task, agent_.id(), status));
    agent_.publish("agent.task.completed", agent_.id(), task_event(task, agent_.id(), status));
    agent_.set_status("idle", outcome.reason);
}

void Worker::take_time(std::chrono::milliseconds least, std::chrono::milliseconds most) {
    std::uniform_int_distribution<std::chrono::milliseconds::rep> length(least.count(), most.count());
    std::this_thread::sleep_for(std::chrono::milliseconds(length(chance_)));
}

bool Worker::happens(int percent) { return std::uniform_int_distribution<int>(1, 100)(chance_) <= percent; }

}  // namespace swarm
