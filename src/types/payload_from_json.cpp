#include "src/types/payload_from_json.hpp"

#include <cstring>
#include <string>

#include "src/types/field_path.hpp"
#include "src/types/flex_json.hpp"
#include "src/types/json_fault.hpp"
#include "src/types/number_from_json.hpp"
#include "src/types/payload_size.hpp"
#include "src/types/value_from_json.hpp"

namespace swarmbus::core {

namespace {

using flatbuffers::uoffset_t;

// What is to stand in a table for a field.
struct Part {
    enum : std::uint8_t { kAbsent, kNull, kThere } state = kAbsent;
    std::uint64_t bits = 0;  // of a number; where the part was built; where a struct begins in structs_
};

class Conversion {
public:
    explicit Conversion(flatbuffers::FlatBufferBuilder& builder) : builder_(builder), value_(builder) {}

    uoffset_t table(const JsonValue& json, const SchemaObject& object, const FieldPath* path) {
        check_payload_size(builder_);
        if (object.is_json_value) return value_.convert(json, path);
        if (!json.IsObject()) fail_expected(path, "an object (" + object.name + ")", json);
        // What lies elsewhere is built first: FlatBuffers grow from the inside out.
        const std::size_t base = parts_.size();
        parts_.resize(base + object.fields.size());
        for (const auto& member : json.GetObject()) {
            const FieldPath here{path, text_of(member.name)};
            const SchemaField& field = field_of(object, here);
            if (parts_[base + field.id].state != Part::kAbsent) throw_payload_fault(&here, "it is there twice");
            Part part{Part::kNull};
            if (!member.value.IsNull()) part = {Part::kThere, field_bits(member.value, field, json, &here)};
            parts_[base + field.id] = part;
        }
        for (const SchemaField& field : object.fields) check_presence(field, base, path);
        const uoffset_t start = builder_.StartTable();
        for (const SchemaField* field : object.widest_first) {
            if (const Part& part = parts_[base + field->id]; part.state == Part::kThere) add(*field, part.bits);
        }
        parts_.resize(base);
        return builder_.EndTable(start);
    }

private:
    static const SchemaField& field_of(const SchemaObject& object, const FieldPath& here) {
        const SchemaField* field = object.find(here.name);
        if (field == nullptr) throw_payload_fault(&here, object.name + " has no such field");
        if (field->deprecated) throw_payload_fault(&here, "the field is deprecated");
        return *field;
    }

    void check_presence(const SchemaField& field, std::size_t base, const FieldPath* path) const {
        const FieldPath here{path, field.name};
        const bool there = parts_[base + field.id].state == Part::kThere;
        if (!there && field.required) throw_payload_fault(&here, "it is required");
        if (!there && field.type.base == BaseType::Union) {
            const Part& tag = parts_[base + field.tag->id];
            if (tag.state == Part::kThere && tag.bits != 0)
                throw_payload_fault(&here, "it is missing, but " + field.tag->name + " is given");
        }
        if (!there && field.tag != nullptr && field.type.base == BaseType::Vector && parts_[base + field.tag->id].state == Part::kThere) {
            throw_payload_fault(&here, "it is missing, but " + field.tag->name + " is given");
        }
    }

    void add(const SchemaField& field, std::uint64_t bits) {
        const SchemaType& type = field.type;
        if (type.base == BaseType::Obj && type.object->is_struct) {
            builder_.Align(type.object->alignment);
            builder_.PushBytes(structs_.data() + bits, type.object->bytes);
            builder_.AddStructOffset(field.offset, builder_.GetSize());
        } else if (!is_scalar(type.base)) {
            builder_.AddOffset(field.offset, flatbuffers::Offset<void>(static_cast<uoffset_t>(bits)));
        } else {
            with_width(inline_bytes(type), bits, [&](auto number) { builder_.AddElement(field.offset, number); });
        }
    }

    template <typename Use>
    static void with_width(std::size_t bytes, std::uint64_t bits, Use&& use) {
        switch (bytes) {
        case 1: return use(static_cast<std::uint8_t>(bits));
        case 2: return use(static_cast<std::uint16_t>(bits));
        case 4: return use(static_cast<std::uint32_t>(bits));
        default: return use(bits);
        }
    }

    std::uint64_t field_bits(const JsonValue& json, const SchemaField& field, const JsonValue& parent, const FieldPath* path) {
        if (field.flexbuffer) return flexbuffer(json, path);
        if (field.type.base == BaseType::Union) return variant(json, member(parent, *field.tag, path), field.type, path);
        if (field.type.base == BaseType::Vector) return vector(json, field, parent, path);
        return value_bits(json, field.type, path);
    }

    // Of everything but vectors and unions.
    std::uint64_t value_bits(const JsonValue& json, const SchemaType& type, const FieldPath* path) {
        if (type.base == BaseType::String) return string(json, path);
        if (type.base != BaseType::Obj) return number_from_json(json, type, path);
        return type.object->is_struct ? structure(json, *type.object, path) : table(json, *type.object, path);
    }

    uoffset_t string(const JsonValue& json, const FieldPath* path) {
        if (!json.IsString()) fail_expected(path, "a text", json);
        return builder_.CreateString(json.GetString(), json.GetStringLength()).o;
    }

    // The member that says what a union is.
    static const JsonValue& member(const JsonValue& parent, const SchemaField& tag, const FieldPath* path) {
        const auto found = parent.FindMember(JsonValue(rapidjson::StringRef(tag.name.data(), tag.name.size())));
        if (found == parent.MemberEnd() || found->value.IsNull()) throw_payload_fault(path, "its type is missing: " + tag.name);
        return found->value;
    }

    std::uint64_t variant(const JsonValue& json, const JsonValue& tag, const SchemaType& type, const FieldPath* path) {
        const SchemaType tag_type{BaseType::UType, BaseType::None, 0, nullptr, type.enumeration};
        const SchemaEnumValue* chosen = type.enumeration->find(static_cast<std::int64_t>(number_from_json(tag, tag_type, path)));
        if (chosen == nullptr || chosen->type.base == BaseType::None) fail_expected(path, "a type of " + type.enumeration->name, tag);
        if (chosen->type.base != BaseType::Obj || !chosen->type.object->is_struct) return value_bits(json, chosen->type, path);
        const std::size_t at = structure(json, *chosen->type.object, path);
        builder_.Align(chosen->type.object->alignment);
        builder_.PushBytes(structs_.data() + at, chosen->type.object->bytes);
        return builder_.GetSize();
    }

    uoffset_t vector(const JsonValue& json, const SchemaField& field, const JsonValue& parent, const FieldPath* path) {
        const SchemaType element = field.type.element_type();
        if (!json.IsArray()) fail_expected(path, "a list of " + name_of(element), json);
        const rapidjson::SizeType count = json.Size();
        const JsonValue* tags = nullptr;
        if (element.base == BaseType::Union) {
            tags = &member(parent, *field.tag, path);
            if (!tags->IsArray() || tags->Size() != count) throw_payload_fault(path, field.tag->name + " does not have as many elements");
        }
        const std::size_t base = elements_.size();
        for (rapidjson::SizeType i = 0; i < count; ++i) {
            const FieldPath here{path, {}, i};
            const std::uint64_t bits = tags != nullptr ? variant(json[i], (*tags)[i], element, &here) : value_bits(json[i], element, &here);
            elements_.push_back(bits);
        }
        const uoffset_t built = finish_vector(element, base, count);
        elements_.resize(base);
        return built;
    }

    uoffset_t finish_vector(const SchemaType& element, std::size_t base, std::size_t count) {
        const std::size_t bytes = inline_bytes(element), alignment = inline_alignment(element);
        builder_.StartVector(count * bytes / alignment, alignment);
        for (std::size_t i = count; i-- > 0;) {
            const std::uint64_t bits = elements_[base + i];
            if (element.base == BaseType::Obj && element.object->is_struct) {
                builder_.PushBytes(structs_.data() + bits, bytes);
            } else if (!is_scalar(element.base)) {
                builder_.PushElement(flatbuffers::Offset<void>(static_cast<uoffset_t>(bits)));
            } else {
                with_width(bytes, bits, [&](auto number) { builder_.PushElement(number); });
            }
        }
        return builder_.EndVector(count);
    }

    // Where its bytes begin in structs_.
    std::size_t structure(const JsonValue& json, const SchemaObject& object, const FieldPath* path) {
        const std::size_t at = structs_.size();
        structs_.resize(at + object.bytes);
        write_struct(at, json, object, path);
        return at;
    }

    void write_struct(std::size_t at, const JsonValue& json, const SchemaObject& object, const FieldPath* path) {
        if (!json.IsObject()) fail_expected(path, "an object (" + object.name + ")", json);
        std::vector<bool> given(object.fields.size());
        for (const auto& member : json.GetObject()) {
            const FieldPath here{path, text_of(member.name)};
            const SchemaField& field = field_of(object, here);
            if (given[field.id]) throw_payload_fault(&here, "it is there twice");
            given[field.id] = true;
            write_inline(at + field.offset, member.value, field.type, &here);
        }
        for (const SchemaField& field : object.fields) {
            const FieldPath here{path, field.name};
            if (!given[field.id] && !field.deprecated) throw_payload_fault(&here, "it is missing; a struct has all its fields");
        }
    }

    void write_inline(std::size_t at, const JsonValue& json, const SchemaType& type, const FieldPath* path) {
        if (type.base == BaseType::Obj) return write_struct(at, json, *type.object, path);
        if (type.base != BaseType::Array) {
            const std::uint64_t bits = number_from_json(json, type, path);
            std::memcpy(structs_.data() + at, &bits, inline_bytes(type));
            return;
        }
        const SchemaType element = type.element_type();
        if (!json.IsArray() || json.Size() != type.fixed_length) {
            fail_expected(path, "a list of " + std::to_string(type.fixed_length) + " " + name_of(element), json);
        }
        for (rapidjson::SizeType i = 0; i < json.Size(); ++i) {
            const FieldPath here{path, {}, i};
            write_inline(at + i * inline_bytes(element), json[i], element, &here);
        }
    }

    uoffset_t flexbuffer(const JsonValue& json, const FieldPath* path) {
        const std::vector<std::uint8_t> bytes = flexbuffer_of(json, path);
        return builder_.CreateVector(bytes).o;
    }

    flatbuffers::FlatBufferBuilder& builder_;
    ValueFromJson value_;
    std::vector<Part> parts_;              // of all tables that are under way
    std::vector<std::uint64_t> elements_;  // of all vectors that are under way
    std::vector<std::uint8_t> structs_;
};

}  // namespace

std::span<const std::byte> PayloadFromJson::convert(const Schema& schema, std::string_view json) {
    return convert(schema, document_.parse(json));
}

std::span<const std::byte> PayloadFromJson::convert(const Schema& schema, const JsonValue& json) {
    builder_.Clear();
    const uoffset_t root = Conversion(builder_).table(json, schema.root(), nullptr);
    const char* const identifier = schema.file_identifier().empty() ? nullptr : schema.file_identifier().c_str();
    builder_.Finish(flatbuffers::Offset<void>(root), identifier);
    return std::as_bytes(std::span(builder_.GetBufferPointer(), builder_.GetSize()));
}

}  // namespace swarmbus::core
