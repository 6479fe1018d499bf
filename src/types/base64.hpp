// Base64 as RFC 4648 has it: the standard alphabet, with padding.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace swarmbus::core {

void append_base64(std::string& out, std::string_view bytes);

// Nothing if it is none.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace swarmbus::core
