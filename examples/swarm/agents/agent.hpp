// What the agents in C++ have in common: a bus under the agent's name, and a status.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include <swarmbus/events.hpp>
#include <swarmbus/swarmbus.hpp>

#include "life.h"

namespace swarm {

namespace events = swarmbus::events;

class Agent {
public:
    // Opens the bus and says agent.created.
    Agent(const agent_start& start, swarmbus::Options options = {});
    ~Agent();
    Agent(const Agent&) = delete;
    Agent& operator=(const Agent&) = delete;

    const std::string& id() const noexcept { return id_; }
    swarmbus::Bus& bus() noexcept { return bus_; }

    // A table of the standard events, under the type that it has there.
    template <typename Object>
    void publish(const Object& object, const std::string& subject) {
        swarmbus::Message message;
        message.subject = subject.c_str();
        bus_.publish(object, message);
    }
    // Says agent.status.changed.
    void set_status(const std::string& status, const std::string& reason);

private:
    std::string id_;
    std::string status_ = "created";
    swarmbus::Bus bus_;
};

// The main() of an agent: runs it until the demo ends, and prints what went wrong.
int run_agent(int argc, char** argv, const std::function<void(const agent_start&)>& run);

}  // namespace swarm
