// An agent that is given tasks by the queue, one at a time.
#pragma once

#include <random>
#include <string>

#include "agent.hpp"

namespace swarm {

// As long as its agent.task.assigned is handled.
struct Task {
    std::string id;
    const swarmbus::Value* metadata;
};

struct Outcome {
    bool success;
    std::string reason;
};

class Worker {
public:
    Worker(const agent_start& start, std::string capability);
    virtual ~Worker() = default;
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    void run();

protected:
    virtual Outcome work(const Task& task) = 0;

    Agent& agent() noexcept { return agent_; }
    // Stands for work: sleeps between these two times.
    void take_time(std::chrono::milliseconds least, std::chrono::milliseconds most);
    bool happens(int percent);

private:
    void announce();
    void on_assigned(const swarmbus::Event& event);
    void say_started(const Task& task);
    void say_ended(const Task& task, const Outcome& outcome, double duration_ms);

    Agent agent_;
    std::string capability_;
    std::mt19937 chance_;
};

}  // namespace swarm
