// Text of unknown origin, made fit for terminals, messages and JSON.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "src/types/base64.hpp"
#include "src/types/utf8.hpp"

namespace swarmbus::tool {

using core::append_base64;
using core::is_utf8;

// Text for people: one line that can't move the cursor or change the terminal. Control characters
// become \n, \r, \t, \u0085 or \x1b; bytes that are not UTF-8 become \xff.
std::string printable(std::string_view text);

// Places it takes on a terminal, one for each character.
std::size_t width_of(std::string_view printable_text) noexcept;

// A JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

// The text of a JSON value as it stands, in one line: numbers keep all their digits. False, with
// nothing appended, if it is not JSON or is nested too deeply for common parsers.
bool append_json_value(std::string& out, std::string_view text);

}  // namespace swarmbus::tool
