// Schemas as text, in the language of FlatBuffers (.fbs).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "src/types/schema.hpp"

namespace swarmbus::core {

// The binary schema of a text. `include "value.fbs";` gives it swarmbus.Value; other files it can't include. Throws
// SWB_ERR_SCHEMA with the line and what is wrong.
std::vector<std::byte> binary_of_text(const std::string& text);

}  // namespace swarmbus::core
