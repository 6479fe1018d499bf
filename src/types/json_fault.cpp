#include "src/types/json_fault.hpp"

#include <charconv>

namespace swarmbus::core {

namespace {

std::string kind_of(const JsonValue& json) {
    switch (json.GetType()) {
    case rapidjson::kNullType: return "null";
    case rapidjson::kFalseType: return "false";
    case rapidjson::kTrueType: return "true";
    case rapidjson::kObjectType: return "an object";
    case rapidjson::kArrayType: return "a list";
    case rapidjson::kStringType: {
        const std::string_view text = text_of(json);
        return text.size() <= 40 ? "the text \"" + std::string(text) + "\"" : "a text of " + std::to_string(text.size()) + " bytes";
    }
    case rapidjson::kNumberType: break;
    }
    if (json.IsInt64()) return std::to_string(json.GetInt64());
    if (json.IsUint64()) return std::to_string(json.GetUint64());
    char digits[40];
    const auto end = std::to_chars(digits, digits + sizeof digits, json.GetDouble()).ptr;
    return {digits, end};
}

}  // namespace

void fail_expected(const FieldPath* path, const std::string& expected, const JsonValue& found) {
    throw_payload_fault(path, "expected " + expected + ", found " + kind_of(found));
}

}  // namespace swarmbus::core
