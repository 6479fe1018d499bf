// All trials of one operation, and their report.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "tests/faults/operation.hpp"
#include "tests/faults/options.hpp"

namespace swarmbus::faults {

struct Report {
    std::string operation;
    std::size_t found = 0;   // points
    std::size_t chosen = 0;  // of them
    std::size_t tried = 0;
    std::size_t failed_by_kill = 0, failed_by_stop = 0;
    std::size_t slow = 0;     // trials repeated since somebody was late
    std::size_t missed = 0;   // trials whose operation was over before its point, also when repeated
    std::size_t drifted = 0;  // trials at another instruction than when points were counted
    bool out_of_time = false;
    double seconds = 0;
    std::vector<std::string> failures;

    bool good() const noexcept { return failures.empty(); }
};

// Counts the points of an operation and tries those that are asked for; `share` of a sample, or 0 for all.
Report interrupt_everywhere(Operation& operation, const HarnessOptions& options, std::size_t share, std::size_t least_points,
                            std::chrono::steady_clock::time_point deadline);

}  // namespace swarmbus::faults
