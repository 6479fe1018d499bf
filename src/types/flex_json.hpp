// FlexBuffers as JSON. Blobs are lists of numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "src/types/field_path.hpp"
#include "src/types/json_document.hpp"
#include "src/types/json_text.hpp"

namespace swarmbus::core {

// Appends the JSON of a FlexBuffer that may be anything. Throws SWB_ERR_PAYLOAD with the path that leads to the fault.
void append_flexbuffer(JsonText& json, std::span<const std::byte> flexbuffer, const FieldPath* path);

// Any JSON. Throws SWB_ERR_PAYLOAD with the path.
std::vector<std::uint8_t> flexbuffer_of(const JsonValue& json, const FieldPath* path);

}  // namespace swarmbus::core
