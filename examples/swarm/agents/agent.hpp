// What the agents in C++ have in common: a bus under the agent's name, a status, JSON payloads.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include <nlohmann/json.hpp>
#include <swarmbus/swarmbus.hpp>

#include "life.h"

namespace swarm {

using Json = nlohmann::ordered_json;

// An event's payload; an empty object if it is none.
Json parse(const swarmbus::Event& event);
// A text field; "" if there is none of that name.
std::string text_of(const Json& object, const char* field);

class Agent {
public:
    // Opens the bus and says agent.created.
    Agent(const agent_start& start, swarmbus::Options options = {});
    ~Agent();
    Agent(const Agent&) = delete;
    Agent& operator=(const Agent&) = delete;

    const std::string& id() const noexcept { return id_; }
    swarmbus::Bus& bus() noexcept { return bus_; }

    void publish(const char* type, const std::string& subject, const Json& payload);
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
