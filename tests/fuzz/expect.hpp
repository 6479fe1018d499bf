// What a target holds to be true of every input.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace swarmbus::fuzzing {

// Ends the process, which libFuzzer takes for a finding, if it does not hold. `about` shows what was at hand.
inline void expect(bool holds, const char* what, std::string_view about = {}) {
    if (holds) return;
    std::fprintf(stderr, "fuzz: it does not hold that %s\n%s\n", what, std::string(about).c_str());
    std::abort();
}

// By another reader than the one that is tested.
void expect_json(std::string_view text);

}  // namespace swarmbus::fuzzing
