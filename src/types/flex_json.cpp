#include "src/types/flex_json.hpp"

#include <flatbuffers/flexbuffers.h>

#include <cstring>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "src/types/flex_verify.hpp"

namespace swarmbus::core {

namespace {

void append(JsonText& json, flexbuffers::Reference value, const FieldPath* path);

void append_list(JsonText& json, std::size_t count, auto&& element, const FieldPath* path) {
    json.begin_list(path);
    for (std::size_t i = 0; i < count; ++i) {
        const FieldPath here{path, {}, i};
        append(json, element(i), &here);
    }
    json.end_list();
}

void append_map(JsonText& json, const flexbuffers::Map& map, const FieldPath* path) {
    const flexbuffers::TypedVector keys = map.Keys();
    const flexbuffers::Vector values = map.Values();
    if (keys.size() != values.size()) throw_payload_fault(path, "it has other keys than values");
    json.begin_object(path);
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const FieldPath here{path, keys[i].AsKey(), i};
        json.key(here.name, &here);
        append(json, values[i], &here);
    }
    json.end_object();
}

void append(JsonText& json, flexbuffers::Reference value, const FieldPath* path) {
    switch (value.GetType()) {
    case flexbuffers::FBT_NULL: return json.null();
    case flexbuffers::FBT_BOOL: return json.boolean(value.AsBool());
    case flexbuffers::FBT_INT:
    case flexbuffers::FBT_INDIRECT_INT: return json.integer(value.AsInt64());
    case flexbuffers::FBT_UINT:
    case flexbuffers::FBT_INDIRECT_UINT: return json.integer(value.AsUInt64());
    case flexbuffers::FBT_FLOAT:
    case flexbuffers::FBT_INDIRECT_FLOAT: return json.marked_real(value.AsDouble(), path);
    case flexbuffers::FBT_KEY: return json.text(value.AsKey(), path);
    case flexbuffers::FBT_STRING: {
        const flexbuffers::String text = value.AsString();
        return json.text({text.c_str(), text.length()}, path);
    }
    case flexbuffers::FBT_MAP: return append_map(json, value.AsMap(), path);
    case flexbuffers::FBT_BLOB: {
        const flexbuffers::Blob blob = value.AsBlob();
        json.begin_list(path);
        for (std::size_t i = 0; i < blob.size(); ++i) json.integer(std::uint64_t{blob.data()[i]});
        return json.end_list();
    }
    case flexbuffers::FBT_VECTOR: {
        const flexbuffers::Vector list = value.AsVector();
        return append_list(
            json, list.size(), [&](std::size_t i) { return list[i]; }, path);
    }
    default:
        if (value.IsTypedVector()) {
            const flexbuffers::TypedVector list = value.AsTypedVector();
            return append_list(
                json, list.size(), [&](std::size_t i) { return list[i]; }, path);
        }
        if (value.IsFixedTypedVector()) {
            const flexbuffers::FixedTypedVector list = value.AsFixedTypedVector();
            return append_list(
                json, list.size(), [&](std::size_t i) { return list[i]; }, path);
        }
        throw_payload_fault(path, "it is of a type that FlexBuffers have not");
    }
}

void build(flexbuffers::Builder& builder, const JsonValue& json, const FieldPath* path) {
    if (json.IsNumber() && !is_exact(json)) throw_payload_fault(path, "the number can't be held exactly");
    if (json.IsNull()) return builder.Null();
    if (json.IsBool()) return builder.Bool(json.GetBool());
    if (json.IsInt64()) return builder.Int(json.GetInt64());
    if (json.IsUint64()) return builder.UInt(json.GetUint64());
    if (json.IsDouble()) return builder.Double(json.GetDouble());
    if (json.IsString()) {
        builder.String(json.GetString(), json.GetStringLength());
        return;
    }
    std::size_t count = 0;
    if (json.IsArray()) {
        const std::size_t start = builder.StartVector();
        for (const JsonValue& item : json.GetArray()) {
            const FieldPath here{path, {}, count++};
            build(builder, item, &here);
        }
        builder.EndVector(start, false, false);
        return;
    }
    const std::size_t start = builder.StartMap();
    std::unordered_set<std::string_view> names;
    for (const auto& member : json.GetObject()) {
        const std::string_view name(member.name.GetString(), member.name.GetStringLength());
        const FieldPath here{path, name, count++};
        if (name.find('\0') != std::string_view::npos) throw_payload_fault(&here, "names in FlexBuffers can't hold a zero");
        if (!names.insert(name).second) throw_payload_fault(&here, "it is there twice");
        builder.Key(member.name.GetString());
        build(builder, member.value, &here);
    }
    builder.EndMap(start);
}

}  // namespace

std::vector<std::uint8_t> flexbuffer_of(const JsonValue& json, const FieldPath* path) {
    flexbuffers::Builder builder;
    build(builder, json, path);
    builder.Finish();
    return builder.GetBuffer();
}

void append_flexbuffer(JsonText& json, std::span<const std::byte> flexbuffer, const FieldPath* path) {
    if (!is_flexbuffer(flexbuffer, kMaxJsonDepth)) throw_payload_fault(path, "it is no FlexBuffer");
    // Aligned, and with a zero behind the last key.
    std::vector<std::uint64_t> copy(flexbuffer.size() / 8 + 2);
    auto* const bytes = reinterpret_cast<std::uint8_t*>(copy.data());
    std::memcpy(bytes, flexbuffer.data(), flexbuffer.size());
    append(json, flexbuffers::GetRoot(bytes, flexbuffer.size()), path);
}

}  // namespace swarmbus::core
