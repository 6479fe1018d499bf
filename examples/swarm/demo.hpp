// One run of the demo.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace swarm {

struct DemoOptions {
    std::string bus;  // empty: a name of its own
    std::optional<std::chrono::duration<double>> length;
    bool plain = false;
    std::string agent_folder;
};

// Starts the swarm, shows it, ends it. Returns the exit status: 0, or 1 if an agent ended unasked or no
// event was received. Throws std::exception if it can't run.
int run_demo(const DemoOptions& options);

}  // namespace swarm
