#include <nlohmann/json.hpp>

#include "tests/fuzz/expect.hpp"

namespace swarmbus::fuzzing {

void expect_json(std::string_view text) { expect(nlohmann::json::accept(text), "what is printed is JSON", text); }

}  // namespace swarmbus::fuzzing
