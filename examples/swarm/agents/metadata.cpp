#include "metadata.hpp"

namespace swarm {

using swarmbus::Value;
using swarmbus::ValueKind;
using swarmbus::ValueT;

Metadata metadata(std::initializer_list<MetadataField> fields) {
    auto object = std::make_unique<ValueT>();
    object->kind = ValueKind::Object;
    for (const MetadataField& field : fields) {
        auto value = std::make_unique<ValueT>();
        value->name = field.name;
        if (const auto* const text = std::get_if<std::string>(&field.value)) {
            value->kind = ValueKind::Text;
            value->text = *text;
        } else {
            value->kind = ValueKind::Integer;
            value->integer = std::get<std::int64_t>(field.value);
        }
        object->items.push_back(std::move(value));
    }
    return object;
}

Metadata copy_of(const Value* metadata) { return Metadata(metadata != nullptr ? metadata->UnPack() : nullptr); }

const Value* field_of(const Value* metadata, std::string_view name) noexcept {
    if (metadata == nullptr || metadata->kind() != ValueKind::Object || metadata->items() == nullptr) return nullptr;
    for (const Value* field : *metadata->items()) {
        if (field->name() != nullptr && field->name()->string_view() == name) return field;
    }
    return nullptr;
}

std::string text_of(const Value* metadata, std::string_view name) {
    const Value* const field = field_of(metadata, name);
    return field != nullptr && field->kind() == ValueKind::Text ? flatbuffers::GetString(field->text()) : std::string();
}

std::optional<std::uint64_t> count_of(const Value* metadata, std::string_view name) noexcept {
    const Value* const field = field_of(metadata, name);
    if (field == nullptr || field->kind() != ValueKind::Integer || field->integer() < 0) return std::nullopt;
    return static_cast<std::uint64_t>(field->integer());
}

}  // namespace swarm
