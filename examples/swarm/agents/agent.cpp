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

Json parse(const swarmbus::Event& event) {
    Json payload = Json::parse(event.text(), nullptr, false);
    return payload.is_object() ? payload : Json::object();
}

std::string text_of(const Json& object, const char* field) {
    const auto found = object.find(field);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Agent::Agent(const agent_start& start, swarmbus::Options options) : id_(start.id), bus_(start.bus, named(std::move(options), start.id)) {
    agent_stop_receiving_at_end(bus_.raw());
    publish("agent.created", id_, {{"agent_id", id_}});
}

Agent::~Agent() { agent_stop_receiving_at_end(nullptr); }

void Agent::publish(const char* type, const std::string& subject, const Json& payload) {
    const std::string text = payload.dump();
    swarmbus::Message message;
    message.payload = swarmbus::as_payload(text);
    message.subject = subject.c_str();
    message.encoding = swarmbus::Encoding::json;
    bus_.publish(type, message);
}

void Agent::set_status(const std::string& status, const std::string& reason) {
    publish("agent.status.changed", id_, {{"agent_id", id_}, {"previous_status", status_}, {"new_status", status}, {"reason", reason}});
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
