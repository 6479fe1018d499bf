// What event types and patterns may look like.
//
// A type is 1 to 127 bytes: segments of [a-z0-9_-], joined by single dots. A pattern may also hold
// '*' (one or more characters, dots included), '+' as a whole segment (exactly one segment) and '>'
// as the last segment (one or more segments).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace swarmbus::core {

inline constexpr std::size_t kMaxNameBytes = 127;

struct NameFault {
    std::size_t position;  // of the first byte that is wrong; the length if something is missing
    std::string what;      // "position 6: …"
};

std::optional<NameFault> find_fault_in_type(std::string_view type);
std::optional<NameFault> find_fault_in_pattern(std::string_view pattern);

// Throw SWB_ERR_TYPE_NAME or SWB_ERR_PATTERN with the fault.
void check_type(std::string_view type);
void check_pattern(std::string_view pattern);

std::uint64_t hash_name(std::string_view name) noexcept;

}  // namespace swarmbus::core
