// Any JSON value as the table swarmbus.Value.
#pragma once

#include <flatbuffers/flatbuffer_builder.h>

#include <vector>

#include "src/types/field_path.hpp"
#include "src/types/json_document.hpp"

namespace swarmbus::core {

// Builds into a FlatBuffer that is under way, between its tables. For one thread.
class ValueFromJson {
public:
    explicit ValueFromJson(flatbuffers::FlatBufferBuilder& builder) noexcept : builder_(builder) {}

    // Where it was built. Throws SWB_ERR_PAYLOAD for a name twice or a number that can't be held exactly; SWB_ERR_TOO_LARGE.
    flatbuffers::uoffset_t convert(const JsonValue& json, const FieldPath* path) { return build(json, path, nullptr); }

private:
    // `name` if it stands in an object.
    flatbuffers::uoffset_t build(const JsonValue& json, const FieldPath* path, const JsonValue* name);
    flatbuffers::uoffset_t build_items(const JsonValue& json, const FieldPath* path);

    flatbuffers::FlatBufferBuilder& builder_;
    std::vector<flatbuffers::uoffset_t> items_;  // of all lists and objects that are under way
};

}  // namespace swarmbus::core
