// The planner: turns goals into tasks. A goal is coded, reviewed and tested; what fails is coded
// again, up to three times.
#include <map>

#include "agent.hpp"
#include "metadata.hpp"
#include "table_of.hpp"

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
namespace events = swarm::events;

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
        create_task("code", goal, 1);
    }

    void create_task(const char* kind, const std::string& goal, int attempt) {
        create_task(swarm::metadata({{"kind", kind}, {"goal", goal}, {"attempt", attempt}}));
    }

    void create_task(swarm::Metadata metadata) {
        events::TaskCreatedT created;
        created.task_id = "t-" + std::to_string(++task_count_);
        created.status = "created";
        created.metadata = std::move(metadata);
        agent_.publish(created, created.task_id);
    }

    void on_task_ended(const swarmbus::Event& event) {
        if (const auto* const completed = swarm::table_of<events::TaskCompleted>(event)) go_on(completed->metadata(), true);
        if (const auto* const failed = swarm::table_of<events::TaskFailed>(event)) go_on(failed->metadata(), false);
    }

    void go_on(const swarmbus::Value* metadata, bool success) {
        const auto goal = goals_.find(swarm::text_of(metadata, "goal"));
        if (goal == goals_.end()) return;  // advice to a coder, or a goal given up
        const std::string kind = swarm::text_of(metadata, "kind");
        if (!success) {
            try_again(goal->first, goal->second, kind);
        } else if (kind == "code") {
            create_task("review", goal->first, goal->second.attempt);
        } else if (kind == "review") {
            create_task("test", goal->first, goal->second.attempt);
        } else {
            goals_.erase(goal);
        }
    }

    void try_again(const std::string& name, Goal& goal, const std::string& failed) {
        if (goal.attempt == kMostAttempts) {
            events::SystemErrorT error;
            error.component = agent_.id();
            error.code = "goal_failed";
            error.message = failed + " failed on the last of 3 attempts";
            error.metadata = swarm::metadata({{"goal", name}});
            agent_.publish(error, name);
            goals_.erase(name);
            return;
        }
        ++goal.attempt;
        create_task("code", name, goal.attempt);
    }

    void on_request(const swarmbus::Event& event) {
        const auto* const requested = swarm::table_of<events::AgentCollaborationRequested>(event);
        if (requested == nullptr || requested->capabilities() == nullptr) return;
        for (const auto* capability : *requested->capabilities()) {
            create_task(swarm::metadata({{"kind", capability->str()}, {"helps", flatbuffers::GetString(requested->agent_id())}}));
        }
    }

    // The tasks of a queue that died are lost with it.
    void begin_goals_again() {
        for (const auto& [name, goal] : goals_) create_task("code", name, goal.attempt);
    }

    void give_up_what_takes_too_long() {
        std::erase_if(goals_, [this](const auto& entry) {
            if (Clock::now() - entry.second.started < kLongestGoal) return false;
            events::SystemWarningT warning;
            warning.component = agent_.id();
            warning.code = "goal_given_up";
            warning.message = "given up: it takes too long";
            warning.metadata = swarm::metadata({{"goal", entry.first}});
            agent_.publish(warning, entry.first);
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
