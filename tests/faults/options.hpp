// The command line of the harness.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "tests/faults/trial.hpp"

namespace swarmbus::faults {

struct HarnessOptions {
    std::size_t sample = 0;  // points in all; 0: all there are
    std::string operation;   // only those with this in their name
    std::optional<std::size_t> point;
    Action action = Action::none;  // none: both
    std::chrono::seconds seconds{3600};
    bool update = false;
    bool list = false;
    bool tap = false;
    std::string stored;  // points.json
};

// Ends the program when it asks for help or can't be understood.
HarnessOptions parse_options(int argc, char** argv);

}  // namespace swarmbus::faults
