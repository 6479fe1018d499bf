// Input that is refused, as it should be.
#pragma once

#include <initializer_list>
#include <algorithm>
#include <utility>

#include "src/error.hpp"
#include "tests/fuzz/expect.hpp"

namespace swarmbus::fuzzing {

// Runs it; true if it threw one of these errors. Any other is a finding.
template <typename Run>
bool refused(std::initializer_list<core::Result> codes, Run&& run) {
    try {
        std::forward<Run>(run)();
        return false;
    } catch (const core::Error& error) {
        expect(std::ranges::find(codes, error.code()) != codes.end(), "the error is one of those that are documented", error.what());
        return true;
    }
}

}  // namespace swarmbus::fuzzing
