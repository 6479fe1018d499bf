// Whether bytes are a FlatBuffer of a schema. Whoever reads them after that stays within them.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "src/types/schema.hpp"

namespace swarmbus::core {

inline constexpr int kMaxPayloadDepth = 64;  // tables within tables

// The first fault, with its field. Takes time in proportion to the payload whatever that holds: depth is bounded, and so
// is how often offsets may lead to the same place. The payload must not change meanwhile: copy what others can write. FlexBuffers within
// are bytes here; who reads them verifies them.
std::optional<std::string> find_payload_fault(const Schema& schema, std::span<const std::byte> payload);

// Throws SWB_ERR_PAYLOAD with the fault.
void check_payload(const Schema& schema, std::span<const std::byte> payload);

}  // namespace swarmbus::core
