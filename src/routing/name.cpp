#include "src/routing/name.hpp"

#include "src/error.hpp"

namespace swarmbus::core {
namespace {

bool is_name_character(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; }

std::string quoted(char c) {
    static constexpr char digits[] = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) return std::string("'") + c + "'";
    return std::string("byte 0x") + digits[byte >> 4] + digits[byte & 0xf];
}

NameFault fault_at(std::size_t position, const std::string& what) {
    return {position, "position " + std::to_string(position) + ": " + what};
}

std::optional<NameFault> find_fault(std::string_view text, bool wildcards) {
    if (text.empty()) return fault_at(0, "it is empty");
    if (text.size() > kMaxNameBytes) {
        return fault_at(kMaxNameBytes, "it has " + std::to_string(text.size()) + " bytes; at most 127 are allowed");
    }
    const char* allowed = wildcards ? " is not one of a-z 0-9 _ - . * + >" : " is not one of a-z 0-9 _ - .";
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool starts_segment = i == 0 || text[i - 1] == '.';
        const bool ends_segment = i + 1 == text.size() || text[i + 1] == '.';
        if (c == '.') {
            if (starts_segment) return fault_at(i, "a segment is empty");
            if (i + 1 == text.size()) return fault_at(i + 1, "a segment is missing after the last dot");
        } else if (wildcards && c == '*') {
            if (i > 0 && text[i - 1] == '*') return fault_at(i, "'*' stands for one or more characters already; write it once");
        } else if (wildcards && c == '+') {
            if (!starts_segment || !ends_segment) return fault_at(i, "'+' must be a whole segment");
        } else if (wildcards && c == '>') {
            if (!starts_segment || i + 1 != text.size()) return fault_at(i, "'>' must be the last segment, by itself");
        } else if (!is_name_character(c)) {
            return fault_at(i, quoted(c) + allowed);
        }
    }
    return std::nullopt;
}

}  // namespace

std::optional<NameFault> find_fault_in_type(std::string_view type) { return find_fault(type, false); }
std::optional<NameFault> find_fault_in_pattern(std::string_view pattern) { return find_fault(pattern, true); }

void check_type(std::string_view type) {
    if (const auto fault = find_fault_in_type(type)) {
        throw Error(SWB_ERR_TYPE_NAME, "event type '" + std::string(type.substr(0, 2 * kMaxNameBytes)) + "': " + fault->what);
    }
}

void check_pattern(std::string_view pattern) {
    if (const auto fault = find_fault_in_pattern(pattern)) {
        throw Error(SWB_ERR_PATTERN, "pattern '" + std::string(pattern.substr(0, 2 * kMaxNameBytes)) + "': " + fault->what);
    }
}

std::uint64_t hash_name(std::string_view name) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325ull;
    for (const char c : name) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001b3ull;
    }
    return hash;
}

}  // namespace swarmbus::core
