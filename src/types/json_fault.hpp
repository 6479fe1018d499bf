// What is told of JSON that is not what a schema expects.
#pragma once

#include <string>
#include <string_view>

#include "src/types/field_path.hpp"
#include "src/types/json_document.hpp"

namespace swarmbus::core {

// Of a text.
inline std::string_view text_of(const JsonValue& json) noexcept { return {json.GetString(), json.GetStringLength()}; }

// Throws SWB_ERR_PAYLOAD: "field: expected a text, found 7".
[[noreturn]] void fail_expected(const FieldPath* path, const std::string& expected, const JsonValue& found);

// Throws SWB_ERR_PAYLOAD if it is a number that is not held exactly.
inline void check_exact(const FieldPath* path, const JsonValue& json) {
    if (json.IsNumber() && !is_exact(json)) throw_payload_fault(path, "the number can't be held exactly");
}

}  // namespace swarmbus::core
