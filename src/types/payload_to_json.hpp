// Events as JSON: an object with the fields that are there, in the order of their schema.
//
// Numbers are exact to the last digit, 64 bits included; enums are their names, several flags the names with spaces
// between; bytes are lists of numbers, FlexBuffers and swarmbus.Value what they hold; of a union there are two fields,
// NAME_type and NAME. A number that JSON does not know (nan, infinity), a text that is not UTF-8 and a union's type that
// the schema does not know are refused, with the field.
#pragma once

#include <cstddef>
#include <span>

#include "src/types/json_text.hpp"
#include "src/types/schema.hpp"

namespace swarmbus::core {

// Appends the JSON. The payload is one in which find_payload_fault() found nothing, and does not change meanwhile.
// Throws SWB_ERR_PAYLOAD with the field; the text is of no use then.
void append_json(JsonText& json, const Schema& schema, std::span<const std::byte> payload);

}  // namespace swarmbus::core
