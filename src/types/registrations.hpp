// The schemas in a bus: entries and bytes that are only ever appended, read and written as a file. Cold data: not mapped,
// so that nobody's lock on memory takes them, and a file that was cut short is an error and no signal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "src/segment/segment.hpp"

namespace swarmbus::core {

struct Registration {
    std::string type, root;
    std::uint64_t hash = 0;
    std::uint64_t at = 0;
    std::uint32_t bytes = 0;
    std::uint32_t version = 0;
    std::uint64_t registered_ns = 0;
};

// How many there are; those before that are whole. By any thread.
std::uint32_t count_registrations(const Segment& segment) noexcept;

// Those from `first` on. Throws SWB_ERR_SYSTEM; SWB_ERR_NOT_A_BUS for a damaged entry.
std::vector<Registration> read_registrations(const Segment& segment, std::uint32_t first);
// The binary schema, which may be anything: whoever may write to the bus may have changed it.
std::vector<std::byte> read_schema(const Segment& segment, const Registration& registration);

// Under the control lock, with all registrations there are: appends one for the binary schema, `at` and `bytes` of which
// are found here. Bytes that are there already are not stored again. Throws SWB_ERR_SCHEMAS_FULL, SWB_ERR_NO_SPACE,
// SWB_ERR_SYSTEM; then nothing was registered.
Registration append_registration(Segment& segment, std::span<const Registration> known, Registration fresh,
                                 std::span<const std::byte> binary);

// Under the control lock: gives back the memory that who died while it registered had taken. What can't be read stays as it is.
void free_unregistered(Segment& segment) noexcept;

// Of a schema's bytes and the name of its root.
std::uint64_t content_hash(std::span<const std::byte> binary, std::string_view root) noexcept;

}  // namespace swarmbus::core
