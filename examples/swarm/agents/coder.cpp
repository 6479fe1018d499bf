// A coder: writes code, sometimes asks for a second pair of eyes, sometimes gets stuck.
#include "worker.hpp"

namespace {

using namespace std::chrono_literals;

class Coder : public swarm::Worker {
public:
    explicit Coder(const agent_start& start) : Worker(start, "code") {}

private:
    swarm::Outcome work(const swarm::Task& task) override {
        take_time(5ms, 15ms);
        if (happens(10)) ask_for_review(task);
        take_time(5ms, 15ms);
        if (happens(4)) return {false, "it does not compile"};
        return {true, "code written"};
    }

    void ask_for_review(const swarm::Task& task) {
        swarm::events::AgentCollaborationRequestedT requested;
        requested.agent_id = agent().id();
        requested.task_id = task.id;
        requested.capabilities = {"review"};
        agent().publish(requested, agent().id());
    }
};

}  // namespace

int main(int argc, char** argv) {
    return swarm::run_agent(argc, argv, [](const agent_start& start) { Coder(start).run(); });
}
