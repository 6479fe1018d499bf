#include "src/types/number_from_json.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "src/types/json_fault.hpp"

namespace swarmbus::core {

namespace {

// The number, if the type holds it exactly.
template <typename Integer>
std::optional<Integer> whole_number(const JsonValue& json) {
    const auto narrow = [](auto wide) -> std::optional<Integer> {
        if (!std::in_range<Integer>(wide)) return std::nullopt;
        return static_cast<Integer>(wide);
    };
    if (json.IsInt64()) return narrow(json.GetInt64());
    if (json.IsUint64()) return narrow(json.GetUint64());
    if (json.IsDouble()) {  // 12.0
        const double number = json.GetDouble();
        constexpr double kExact = 9007199254740992.0;
        if (std::abs(number) <= kExact && number == std::floor(number)) return narrow(static_cast<std::int64_t>(number));
    }
    if (json.IsString() && sizeof(Integer) == 8) {
        const std::string_view text = text_of(json);
        Integer number{};
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error == std::errc() && end == text.data() + text.size()) return number;
    }
    return std::nullopt;
}

double real(const JsonValue& json, const FieldPath* path) {
    if (!json.IsNumber()) fail_expected(path, "a number", json);
    const double number = json.GetDouble();
    // A whole number of more than 53 bits.
    const bool exact =
        json.IsDouble() || (json.IsInt64() ? std::abs(number) < 0x1p63 && static_cast<std::int64_t>(number) == json.GetInt64()
                                           : number < 0x1p64 && static_cast<std::uint64_t>(number) == json.GetUint64());
    if (!exact) fail_expected(path, "a number that a double can hold", json);
    return number;
}

template <typename Integer>
std::uint64_t integer_bits(const JsonValue& json, const SchemaType& type, const FieldPath* path) {
    const std::optional<Integer> number = whole_number<Integer>(json);
    if (!number) {
        const std::string range =
            std::to_string(std::numeric_limits<Integer>::min()) + " to " + std::to_string(std::numeric_limits<Integer>::max());
        fail_expected(path,
                      (type.enumeration != nullptr ? "a name of " + type.enumeration->name + " or " : "") + "a whole number from " + range,
                      json);
    }
    return static_cast<std::uint64_t>(static_cast<std::make_unsigned_t<Integer>>(*number));
}

std::string names_of(const SchemaEnum& enumeration) {
    constexpr std::size_t kShown = 12;
    std::string names;
    for (std::size_t i = 0; i < enumeration.values.size() && i < kShown; ++i) names += (i == 0 ? "" : ", ") + enumeration.values[i].name;
    return enumeration.values.size() > kShown ? names + ", …" : names;
}

std::uint64_t named_bits(const JsonValue& json, const SchemaEnum& enumeration, const FieldPath* path) {
    std::string_view names = text_of(json);
    std::uint64_t bits = 0;
    do {
        const std::size_t end = enumeration.is_flags ? std::min(names.find(' '), names.size()) : names.size();
        const SchemaEnumValue* value = enumeration.find(names.substr(0, end));
        if (value == nullptr) fail_expected(path, "a name of " + enumeration.name + " (" + names_of(enumeration) + ")", json);
        bits |= static_cast<std::uint64_t>(value->value);
        names.remove_prefix(std::min(end + 1, names.size()));
    } while (!names.empty());
    return bits;
}

}  // namespace

std::uint64_t number_from_json(const JsonValue& json, const SchemaType& type, const FieldPath* path) {
    check_exact(path, json);
    if (type.enumeration != nullptr && json.IsString()) return named_bits(json, *type.enumeration, path);
    switch (type.base) {
    case BaseType::Bool:
        if (!json.IsBool()) fail_expected(path, "true or false", json);
        return json.GetBool() ? 1 : 0;
    case BaseType::Float: {
        const auto number = static_cast<float>(real(json, path));
        if (!std::isfinite(number)) fail_expected(path, "a number that a float can hold", json);
        return std::bit_cast<std::uint32_t>(number);
    }
    case BaseType::Double: return std::bit_cast<std::uint64_t>(real(json, path));
    case BaseType::Byte: return integer_bits<std::int8_t>(json, type, path);
    case BaseType::UType:
    case BaseType::UByte: return integer_bits<std::uint8_t>(json, type, path);
    case BaseType::Short: return integer_bits<std::int16_t>(json, type, path);
    case BaseType::UShort: return integer_bits<std::uint16_t>(json, type, path);
    case BaseType::Int: return integer_bits<std::int32_t>(json, type, path);
    case BaseType::UInt: return integer_bits<std::uint32_t>(json, type, path);
    case BaseType::Long: return integer_bits<std::int64_t>(json, type, path);
    default: return integer_bits<std::uint64_t>(json, type, path);
    }
}

}  // namespace swarmbus::core
