// Events from JSON: an object whose members are fields of the schema, in any order.
//
// null is a field that is absent; a field that is given is there, also when it has its default. Enums are names or
// numbers, several flags the names with spaces between; 64-bit numbers may be texts, for writers whose numbers have 53
// bits. Refused, with the field: what the schema does not know, a name twice, numbers that the field can't hold exactly,
// texts that are not UTF-8.
#pragma once

#include <flatbuffers/flatbuffer_builder.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "src/types/json_document.hpp"
#include "src/types/schema.hpp"

namespace swarmbus::core {

// For one thread; keeps its memory from one event to the next.
class PayloadFromJson {
public:
    // The payload is valid until the next call. Throws SWB_ERR_PAYLOAD with the field and what was expected.
    std::span<const std::byte> convert(const Schema& schema, std::string_view json);
    std::span<const std::byte> convert(const Schema& schema, const JsonValue& json);

private:
    JsonDocument document_;
    flatbuffers::FlatBufferBuilder builder_{1024};
};

}  // namespace swarmbus::core
