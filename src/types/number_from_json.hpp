// Numbers, truth values and enums from JSON.
#pragma once

#include <cstdint>

#include "src/types/field_path.hpp"
#include "src/types/json_document.hpp"
#include "src/types/schema.hpp"

namespace swarmbus::core {

// The bits of the scalar that the type holds for this JSON, the low ones first. Throws SWB_ERR_PAYLOAD with what was
// expected: a number that the type can't hold exactly is refused, never rounded.
std::uint64_t number_from_json(const JsonValue& json, const SchemaType& type, const FieldPath* path);

}  // namespace swarmbus::core
