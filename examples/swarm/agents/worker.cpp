#include "worker.hpp"

#include <thread>
#include <utility>

#include "metadata.hpp"
#include "table_of.hpp"

namespace swarm {
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
    events::AgentCapabilityAnnouncedT announced;
    announced.agent_id = agent_.id();
    announced.capability = capability_;
    agent_.publish(announced, agent_.id());
}

void Worker::on_assigned(const swarmbus::Event& event) {
    const auto* const assigned = table_of<events::AgentTaskAssigned>(event);
    if (assigned == nullptr || assigned->task_id() == nullptr) return;
    const Task task{assigned->task_id()->str(), assigned->metadata()};

    agent_.set_status("busy", task.id);
    say_started(task);
    const auto begin = std::chrono::steady_clock::now();
    const Outcome outcome = work(task);
    say_ended(task, outcome, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    agent_.set_status("idle", outcome.reason);
}

void Worker::say_started(const Task& task) {
    events::TaskStartedT started;
    started.task_id = task.id;
    started.agent_id = agent_.id();
    started.status = "started";
    started.metadata = copy_of(task.metadata);
    agent_.publish(started, task.id);
}

// Twice: what became of the task, and that its agent is free.
void Worker::say_ended(const Task& task, const Outcome& outcome, double duration_ms) {
    if (outcome.success) {
        events::TaskCompletedT completed;
        completed.task_id = task.id;
        completed.agent_id = agent_.id();
        completed.status = "completed";
        completed.result = outcome.reason;
        completed.duration_ms = duration_ms;
        completed.metadata = copy_of(task.metadata);
        agent_.publish(completed, task.id);
    } else {
        events::TaskFailedT failed;
        failed.task_id = task.id;
        failed.agent_id = agent_.id();
        failed.status = "failed";
        failed.error = outcome.reason;
        failed.metadata = copy_of(task.metadata);
        agent_.publish(failed, task.id);
    }
    events::AgentTaskCompletedT done;
    done.agent_id = agent_.id();
    done.task_id = task.id;
    done.success = outcome.success;
    done.result = outcome.reason;
    done.duration_ms = duration_ms;
    agent_.publish(done, agent_.id());
}

void Worker::take_time(std::chrono::milliseconds least, std::chrono::milliseconds most) {
    std::uniform_int_distribution<std::chrono::milliseconds::rep> length(least.count(), most.count());
    std::this_thread::sleep_for(std::chrono::milliseconds(length(chance_)));
}

bool Worker::happens(int percent) { return std::uniform_int_distribution<int>(1, 100)(chance_) <= percent; }

}  // namespace swarm
