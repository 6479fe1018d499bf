// One trial: a fresh bus, an operation led to a point, one fault there, and what all others made of it.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "tests/faults/operation.hpp"
#include "tests/faults/point_stepper.hpp"

namespace swarmbus::faults {

enum class Action { none, kill, stop };
const char* name_of(Action action) noexcept;

enum class Outcome : std::uint32_t {
    unfinished,  // the trial itself did not come to an end
    good,
    ended_before,  // the operation was over before it came to the point
    late,          // somebody did not go on in time: a busy machine, or a hang
    failed,
};

struct TrialResult {
    Outcome outcome = Outcome::unfinished;
    std::string reason;
    bool drifted = false;  // at the point there was another instruction than when points were counted
};

// Leads the operation through all its points, which it returns, and checks that all is well without a
// fault.
struct Counted {
    TrialResult result;
    std::vector<Point> points;
};
Counted count_points(Operation& operation);

// The fault `action` after the point of that number, counted from 1. Survivors have `patience` to go on.
TrialResult try_point(Operation& operation, const std::vector<Point>& points, std::size_t number, Action action,
                      std::chrono::nanoseconds patience);

}  // namespace swarmbus::faults
