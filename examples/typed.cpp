// Tables of generated code as payloads: published as they are, read in place, without decoding.
#include <iostream>
#include <swarmbus/events.hpp>

namespace events = swarmbus::events;

int main(int argc, char** argv) {
    try {
        swarmbus::Bus bus(argc > 1 ? argv[1] : "demo");
        bus.subscribe("agent.* task.*");

        events::AgentStatusChangedT changed;
        changed.agent_id = "agent-7";
        changed.new_status = "working";
        bus.publish(changed);  // as agent.status.changed: the schema says so

        // Often: a publisher of one type.
        swarmbus::TypedPublisher<events::TaskCompleted> completed(bus);
        for (const double duration_ms : {12.5, 8.0}) {
            events::TaskCompletedT task;
            task.task_id = "t-1";
            task.duration_ms = duration_ms;
            completed.publish(task);
        }

        // JSON becomes what the schema says; what the schema does not have goes into metadata.
        bus.publish_json("task.failed", R"({"task_id":"t-2","error":"no such file","metadata":{"tries":3}})");

        while (const auto event = bus.next(std::chrono::nanoseconds(0))) {
            if (const auto* const status = event->as<events::AgentStatusChanged>()) {
                std::cout << status->agent_id()->str() << " is " << status->new_status()->str() << '\n';
            } else if (const auto* const task = event->as<events::TaskCompleted>()) {
                std::cout << task->task_id()->str() << " took " << task->duration_ms().value_or(0) << " ms\n";
            } else {
                std::cout << event->type() << ' ' << bus.to_json(*event) << '\n';
            }
        }
    } catch (const swarmbus::Error& error) {
        std::cerr << "typed: " << error.what() << '\n';
        return 1;
    }
}
