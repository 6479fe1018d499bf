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
        if (happens(10)) {
            agent().publish("agent.collaboration.requested", agent().id(),
                            {{"agent_id", agent().id()}, {"task_id", task.id}, {"capability", "review"}});
        }
        take_time(5ms, 15ms);
        if (happens(4)) return {false, "it does not compile"};
        return {true, "code written"};
    }
};

}  // namespace

int main(int argc, char** argv) {
    return swarm::run_agent(argc, argv, [](const agent_start& start) { Coder(start).run(); });
}
