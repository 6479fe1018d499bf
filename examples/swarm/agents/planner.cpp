// The planner: turns goals into tasks. A goal is coded, reviewed and tested; what fails is coded
// again, up to three times.
#include <map>

#include "agent.hpp"

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using swarm::Json;

constexpr std::size_t kMostOpenGoals = 16;
constexpr auto kNewGoalEvery = 20ms;
constexpr auto kLongestGoal = 5s;
constexpr int kMostAttempts = 3;

struct Goal {
    int attempt = 1;
    Clock::time_point started;
};

class Planner {
public:
    explicit Planner(const agent_start& start) : agent_(start) {}

    void run() {
        agent_.bus().subscribe("task.completed task.failed", [this](const swarmbus::Event& event) { on_task_ended(event); });
        agent_.bus().subscribe("agent.collaboration.requested", [this](const swarmbus::Event& event) { on_request(event); });
        agent_.bus().subscribe("agent.created", [this](const swarmbus::Event& event) {
            if (event.subject() == AGENT_QUEUE_ID) begin_goals_again();
        });
        agent_.set_status("planning", "a new goal every 20 ms");
        auto next_goal = Clock::now();
        while (!agent_ending()) {
            agent_.bus().run_once(kNewGoalEvery);
            if (Clock::now() < next_goal) continue;
            next_goal = Clock::now() + kNewGoalEvery;
            give_up_what_takes_too_long();
            if (goals_.size() < kMostOpenGoals) start_goal();
        }
        agent_.set_status("ended", "the demo ends");
    }

private:
    void start_goal() {
        const std::string goal = "g-" + std::to_string(++goal_count_);
        goals_[goal] = {1, Clock::now()};
        create_task({{"kind", "code"}, {"goal", goal}, {"attempt", 1}});
    }

    void create_task(const Json& metadata) {
        const std::string task = "t-" + std::to_string(++task_count_);
        agent_.publish("task.created", task, {{"task_id", task}, {"agent_id", nullptr}, {"status", "created"}, {"metadata", metadata}});
    }

    void on_task_ended(const swarmbus::Event& event) {
        const Json payload = swarm::parse(event);
        const Json metadata = payload.value("metadata", Json::object());
        const std::string name = swarm::text_of(metadata, "goal");
        const std::string kind = swarm::text_of(metadata, "kind");
        const auto goal = goals_.find(name);
        if (goal == goals_.end()) return;  // advice to a coder, or a goal given up
        if (event.type() == "task.failed") {
            try_again(goal->first, goal->second, kind);
        } else if (kind == "code") {
            create_task({{"kind", "review"}, {"goal", name}, {"attempt", goal->second.attempt}});
        } else if (kind == "review") {
            create_task({{"kind", "test"}, {"goal", name}, {"attempt", goal->second.attempt}});
        } else {
            goals_.erase(goal);
        }
    }

    void try_again(const std::string& name, Goal& goal, const std::string& failed) {
        if (goal.attempt == kMostAttempts) {
            agent_.publish("system.error", name,
                           {{"agent_id", agent_.id()}, {"goal", name}, {"error", failed + " failed on the last of 3 attempts"}});
            goals_.erase(name);
            return;
        }
        ++goal.attempt;
        create_task({{"kind", "code"}, {"goal", name}, {"attempt", goal.attempt}});
    }

    void on_request(const swarmbus::Event& event) {
        const Json payload = swarm::parse(event);
        create_task({{"kind", swarm::text_of(payload, "capability")}, {"helps", swarm::text_of(payload, "agent_id")}});
    }

    // The tasks of a queue that died are lost with it.
    void begin_goals_again() {
        for (const auto& [name, goal] : goals_) create_task({{"kind", "code"}, {"goal", name}, {"attempt", goal.attempt}});
    }

    void give_up_what_takes_too_long() {
        std::erase_if(goals_, [this](const auto& entry) {
            if (Clock::now() - entry.second.started < kLongestGoal) return false;
            agent_.publish("system.warning", entry.first,
                           {{"agent_id", agent_.id()}, {"goal", entry.first}, {"reason", "given up: it takes too long"}});
            return true;
        });
    }

    swarm::Agent agent_;
    std::map<std::string, Goal> goals_;
    unsigned goal_count_ = 0, task_count_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    return swarm::run_agent(argc, argv, [](const agent_start& start) { Planner(start).run(); });
}
