// The agents of the demo.
#pragma once

#include <array>

namespace swarm {

struct AgentSpec {
    const char* id;
    const char* program;    // in the folder agents/ beside swarm-demo
    const char* interface;  // of SwarmBus that it is written against
};

// The queue comes first: the others announce themselves to it.
inline constexpr std::array<AgentSpec, 11> kRoster{{
    {"queue", "task-queue", "C"},
    {"monitor", "monitor", "C"},
    {"archivist", "archivist", "C++"},
    {"coder-1", "coder", "C++"},
    {"coder-2", "coder", "C++"},
    {"coder-3", "coder", "C++"},
    {"reviewer-1", "reviewer", "C++"},
    {"reviewer-2", "reviewer", "C++"},
    {"tester-1", "tester", "C"},
    {"tester-2", "tester", "C"},
    {"planner", "planner", "C++"},
}};

}  // namespace swarm
