// Where in an event a fault is: "metadata.items[2].name". A chain along the calls that lead there, so that it costs
// nothing while nothing is wrong.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace swarmbus::core {

struct FieldPath {
    const FieldPath* parent = nullptr;
    std::string_view name;  // of a field; empty for an element
    std::size_t index = 0;  // of an element
};

// "" for the root.
std::string to_string(const FieldPath* path);

// Throws SWB_ERR_PAYLOAD: "field: what".
[[noreturn]] void throw_payload_fault(const FieldPath* path, const std::string& what);

}  // namespace swarmbus::core
