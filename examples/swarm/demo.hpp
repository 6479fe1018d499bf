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
    std::optional<std::chrono::duration<double>> kill_every = std::chrono::seconds(4);  // none: nobody is killed
    std::string agent_folder;
    std::string tool = "swarmbus";  // how the command line tool is called, where it was started
    std::string gateway;            // the program that shows the bus in browsers; none if it is empty or not there
};

// Starts the swarm, shows it, kills one of it now and then, ends it. Returns the exit status: 0, or 1 if
// an agent ended unasked, one that was killed did not come back, or no event was received. Throws std::exception if it can't run.
int run_demo(const DemoOptions& options);

}  // namespace swarm
