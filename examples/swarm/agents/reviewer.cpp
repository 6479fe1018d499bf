// A reviewer: reads code and sends some of it back.
#include "metadata.hpp"
#include "worker.hpp"

namespace {

using namespace std::chrono_literals;

class Reviewer : public swarm::Worker {
public:
    explicit Reviewer(const agent_start& start) : Worker(start, "review") {}

private:
    swarm::Outcome work(const swarm::Task& task) override {
        take_time(4ms, 12ms);
        const bool only_advice = swarm::field_of(task.metadata, "helps") != nullptr;
        if (!only_advice && happens(15)) return {false, "changes requested"};
        return {true, "looks good"};
    }
};

}  // namespace

int main(int argc, char** argv) {
    return swarm::run_agent(argc, argv, [](const agent_start& start) { Reviewer(start).run(); });
}
