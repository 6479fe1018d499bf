#include "agent.hpp"

#include <iostream>
#include <utility>

namespace swarm {
namespace {

swarmbus::Options named(swarmbus::Options options, const char* id) {
    options.source = id;
    options.open_mode = SWB_OPEN_ONLY;  // an agent that comes late makes no bus that nobody removes
    return options;
}

}  // namespace

Agent::Agent(const agent_start& start, swarmbus::Options options) : id_(start.id), bus_(start.bus, named(std::move(options), start.id)) {
    agent_stop_receiving_at_end(bus_.raw());
    events::AgentCreatedT created;
    created.agent_id = id_;
    publish(created, id_);
}

Agent::~Agent() { agent_stop_receiving_at_end(nullptr); }

void Agent::set_status(const std::string& status, const std::string& reason) {
    events::AgentStatusChangedT changed;
    changed.agent_id = id_;
    changed.previous_status = status_;
    changed.new_status = status;
    changed.reason = reason;
    publish(changed, id_);
    status_ = status;
}

int run_agent(int argc, char** argv, const std::function<void(const agent_start&)>& run) {
    agent_start start{};
    if (agent_begin(argc, argv, &start) != 0) return 2;
    int status = 0;
    try {
        run(start);
    } catch (const std::exception& error) {
        std::cerr << error.what() << std::endl;
        status = 1;
    }
    agent_end(&start);
    return status;
}

}  // namespace swarm
