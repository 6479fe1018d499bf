#include "src/types/value_from_json.hpp"

#include <cstddef>
#include <string_view>
#include <unordered_set>

#include <swarmbus/value_generated.h>

#include "src/types/json_fault.hpp"
#include "src/types/payload_size.hpp"

namespace swarmbus::core {

flatbuffers::uoffset_t ValueFromJson::build(const JsonValue& json, const FieldPath* path, const JsonValue* name) {
    check_payload_size(builder_);
    check_exact(path, json);
    flatbuffers::Offset<flatbuffers::String> text, own_name;
    flatbuffers::uoffset_t items = 0;
    ValueKind kind = ValueKind::Null;
    if (json.IsString()) {
        kind = ValueKind::Text;
        text = builder_.CreateString(json.GetString(), json.GetStringLength());
    } else if (json.IsArray() || json.IsObject()) {
        kind = json.IsArray() ? ValueKind::List : ValueKind::Object;
        items = build_items(json, path);
    }
    if (name != nullptr) own_name = builder_.CreateString(name->GetString(), name->GetStringLength());
    ValueBuilder value(builder_);
    if (json.IsBool()) {
        kind = ValueKind::Boolean;
        value.add_boolean(json.GetBool());
    } else if (json.IsInt64()) {
        kind = ValueKind::Integer;
        value.add_integer(json.GetInt64());
    } else if (json.IsUint64()) {
        kind = ValueKind::Unsigned;
        value.add_unsigned_integer(json.GetUint64());
    } else if (json.IsDouble()) {
        kind = ValueKind::Real;
        value.add_real(json.GetDouble());
    }
    if (!text.IsNull()) value.add_text(text);
    if (items != 0) value.add_items(items);
    if (!own_name.IsNull()) value.add_name(own_name);
    value.add_kind(kind);
    return value.Finish().o;
}

flatbuffers::uoffset_t ValueFromJson::build_items(const JsonValue& json, const FieldPath* path) {
    const std::size_t base = items_.size();
    std::size_t count = 0;
    if (json.IsArray()) {
        for (const JsonValue& item : json.GetArray()) {
            const FieldPath here{path, {}, count++};
            const flatbuffers::uoffset_t built = build(item, &here, nullptr);
            items_.push_back(built);
        }
    } else {
        std::unordered_set<std::string_view> names;
        for (const auto& member : json.GetObject()) {
            const FieldPath here{path, text_of(member.name), count++};
            if (!names.insert(here.name).second) throw_payload_fault(&here, "it is there twice");
            const flatbuffers::uoffset_t built = build(member.value, &here, &member.name);
            items_.push_back(built);
        }
    }
    builder_.StartVector(count, sizeof(flatbuffers::uoffset_t));
    for (std::size_t i = count; i-- > 0;) builder_.PushElement(flatbuffers::Offset<Value>(items_[base + i]));
    items_.resize(base);
    return builder_.EndVector(count);
}

}  // namespace swarmbus::core
