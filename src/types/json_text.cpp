#include "src/types/json_text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

namespace swarmbus::core {

namespace {

struct Digits {
    std::array<char, 40> characters;
    std::size_t count = 0;
    std::string_view view() const { return {characters.data(), count}; }
};

template <typename Real>
Digits digits_of(Real value, const FieldPath* path) {
    if (!std::isfinite(value)) throw_payload_fault(path, std::isnan(value) ? "JSON has no nan" : "JSON has no infinity");
    Digits digits{};
    const auto result = std::to_chars(digits.characters.begin(), digits.characters.end() - 2, value);
    digits.count = static_cast<std::size_t>(result.ptr - digits.characters.data());
    return digits;
}

}  // namespace

void JsonText::real(double value, const FieldPath* path) { number(digits_of(value, path).view()); }
void JsonText::real(float value, const FieldPath* path) { number(digits_of(value, path).view()); }

void JsonText::marked_real(double value, const FieldPath* path) {
    Digits digits = digits_of(value, path);
    if (digits.view().find_first_of(".e") == std::string_view::npos) {
        std::memcpy(digits.characters.data() + digits.count, ".0", 2);
        digits.count += 2;
    }
    number(digits.view());
}

void JsonText::text(std::string_view value, const FieldPath* path) {
    check_length(path);
    if (!writer_.String(value.empty() ? "" : value.data(), static_cast<rapidjson::SizeType>(value.size()))) {
        throw_payload_fault(path, "it is not UTF-8");
    }
}

}  // namespace swarmbus::core
