#include "src/types/payload_from_json.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <utility>

#include <swarmbus/value_generated.h>

#include "src/arena/arena.hpp"
#include "src/error.hpp"
#include "src/types/field_path.hpp"
#include "src/types/flex_json.hpp"

namespace swarmbus::core {

namespace {

using flatbuffers::uoffset_t;

std::string_view text_of(const JsonValue& json) { return {json.GetString(), json.GetStringLength()}; }

std::string kind_of(const JsonValue& json) {
    switch (json.GetType()) {
    case rapidjson::kNullType: return "null";
    case rapidjson::kFalseType: return "false";
    case rapidjson::kTrueType: return "true";
    case rapidjson::kObjectType: return "an object";
    case rapidjson::kArrayType: return "a list";
    case rapidjson::kStringType: {
        const std::string_view text = text_of(json);
        return text.size() <= 40 ? "the text \"" + std::string(text) + "\"" : "a text of " + std::to_string(text.size()) + " bytes";
    }
    case rapidjson::kNumberType: break;
    }
    if (json.IsInt64()) return std::to_string(json.GetInt64());
    if (json.IsUint64()) return std::to_string(json.GetUint64());
    char digits[40];
    const auto end = std::to_chars(digits, digits + sizeof digits, json.GetDouble()).ptr;
    return {digits, end};
}

[[noreturn]] void fail_expected(const FieldPath* path, const std::string& expected, const JsonValue& found) {
    throw_payload_fault(path, "expected " + expected + ", found " + kind_of(found));
}

// The number, if the type holds it exactly.
template <typename Integer>
std::optional<Integer> whole_number(const JsonValue& json) {
    const auto narrow = [](auto wide) -> std::optional<Integer> {
        if (!std::in_range<Integer>(wide)) return std::nullopt;
        return static_cast<Integer>(wide);
    };
    if (json.IsInt64()) return narrow(json.GetInt64());
    if (json.IsUint64()) return narrow(json.GetUint64());
    if (json.IsDouble()) {  // 12.0
        const double number = json.GetDouble();
        constexpr double kExact = 9007199254740992.0;
        if (std::abs(number) <= kExact && number == std::floor(number)) return narrow(static_cast<std::int64_t>(number));
    }
    if (json.IsString() && sizeof(Integer) == 8) {
        const std::string_view text = text_of(json);
        Integer number{};
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error == std::errc() && end == text.data() + text.size()) return number;
    }
    return std::nullopt;
}

// What is to stand in a table for a field.
struct Part {
    enum : std::uint8_t { kAbsent, kNull, kThere } state = kAbsent;
    std::uint64_t bits = 0;  // of a number; where the part was built; where a struct begins in structs_
};

class Conversion {
public:
    explicit Conversion(flatbuffers::FlatBufferBuilder& builder) : builder_(builder) {}

    uoffset_t table(const JsonValue& json, const SchemaObject& object, const FieldPath* path) {
        check_size();
        if (object.is_json_value) return json_value(json, path, nullptr);
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
    // Before it takes more memory than an event may have.
    void check_size() const {
        if (builder_.GetSize() > kLargestPayload) throw Error(SWB_ERR_TOO_LARGE, "the event has more than 64 MiB");
    }

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
        if (type.base != BaseType::Obj) return number_bits(json, type, path);
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
        const SchemaEnumValue* chosen = type.enumeration->find(static_cast<std::int64_t>(number_bits(tag, tag_type, path)));
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
            const std::uint64_t bits = number_bits(json, type, path);
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

    static std::uint64_t number_bits(const JsonValue& json, const SchemaType& type, const FieldPath* path) {
        if (json.IsNumber() && !is_exact(json)) throw_payload_fault(path, "the number can't be held exactly");
        if (type.enumeration != nullptr && json.IsString()) return named_bits(json, *type.enumeration, path);
        switch (type.base) {
        case BaseType::Bool:
            if (!json.IsBool()) fail_expected(path, "true or false", json);
            return json.GetBool() ? 1 : 0;
        case BaseType::Float: {
            const auto number = static_cast<float>(real(json, path));
            if (!std::isfinite(number)) fail_expected(path, "a number that a float can hold", json);
            return std::bit_cast<std::uint32_t>(number);
        }
        case BaseType::Double: return std::bit_cast<std::uint64_t>(real(json, path));
        case BaseType::Byte: return integer_bits<std::int8_t>(json, type, path);
        case BaseType::UType:
        case BaseType::UByte: return integer_bits<std::uint8_t>(json, type, path);
        case BaseType::Short: return integer_bits<std::int16_t>(json, type, path);
        case BaseType::UShort: return integer_bits<std::uint16_t>(json, type, path);
        case BaseType::Int: return integer_bits<std::int32_t>(json, type, path);
        case BaseType::UInt: return integer_bits<std::uint32_t>(json, type, path);
        case BaseType::Long: return integer_bits<std::int64_t>(json, type, path);
        default: return integer_bits<std::uint64_t>(json, type, path);
        }
    }

    static double real(const JsonValue& json, const FieldPath* path) {
        if (!json.IsNumber()) fail_expected(path, "a number", json);
        const double number = json.GetDouble();
        // A whole number of more than 53 bits.
        const bool exact =
            json.IsDouble() || (json.IsInt64() ? std::abs(number) < 0x1p63 && static_cast<std::int64_t>(number) == json.GetInt64()
                                               : number < 0x1p64 && static_cast<std::uint64_t>(number) == json.GetUint64());
        if (!exact) fail_expected(path, "a number that a double can hold", json);
        return number;
    }

    template <typename Integer>
    static std::uint64_t integer_bits(const JsonValue& json, const SchemaType& type, const FieldPath* path) {
        const std::optional<Integer> number = whole_number<Integer>(json);
        if (!number) {
            const std::string range =
                std::to_string(std::numeric_limits<Integer>::min()) + " to " + std::to_string(std::numeric_limits<Integer>::max());
            fail_expected(
                path, (type.enumeration != nullptr ? "a name of " + type.enumeration->name + " or " : "") + "a whole number from " + range,
                json);
        }
        return static_cast<std::uint64_t>(static_cast<std::make_unsigned_t<Integer>>(*number));
    }

    static std::uint64_t named_bits(const JsonValue& json, const SchemaEnum& enumeration, const FieldPath* path) {
        std::string_view names = text_of(json);
        std::uint64_t bits = 0;
        do {
            const std::size_t end = enumeration.is_flags ? std::min(names.find(' '), names.size()) : names.size();
            const SchemaEnumValue* value = enumeration.find(names.substr(0, end));
            if (value == nullptr) fail_expected(path, "a name of " + enumeration.name + " (" + names_of(enumeration) + ")", json);
            bits |= static_cast<std::uint64_t>(value->value);
            names.remove_prefix(std::min(end + 1, names.size()));
        } while (!names.empty());
        return bits;
    }

    static std::string names_of(const SchemaEnum& enumeration) {
        constexpr std::size_t kShown = 12;
        std::string names;
        for (std::size_t i = 0; i < enumeration.values.size() && i < kShown; ++i)
            names += (i == 0 ? "" : ", ") + enumeration.values[i].name;
        return enumeration.values.size() > kShown ? names + ", …" : names;
    }

    uoffset_t flexbuffer(const JsonValue& json, const FieldPath* path) {
        const std::vector<std::uint8_t> bytes = flexbuffer_of(json, path);
        return builder_.CreateVector(bytes).o;
    }

    // A swarmbus.Value; `name` if it stands in an object.
    uoffset_t json_value(const JsonValue& json, const FieldPath* path, const JsonValue* name) {
        check_size();
        if (json.IsNumber() && !is_exact(json)) throw_payload_fault(path, "the number can't be held exactly");
        flatbuffers::Offset<flatbuffers::String> text, own_name;
        uoffset_t items = 0;
        ValueKind kind = ValueKind::Null;
        if (json.IsString()) {
            kind = ValueKind::Text;
            text = builder_.CreateString(json.GetString(), json.GetStringLength());
        } else if (json.IsArray() || json.IsObject()) {
            kind = json.IsArray() ? ValueKind::List : ValueKind::Object;
            items = json_items(json, path);
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

    uoffset_t json_items(const JsonValue& json, const FieldPath* path) {
        const std::size_t base = elements_.size();
        std::size_t count = 0;
        if (json.IsArray()) {
            for (const JsonValue& item : json.GetArray()) {
                const FieldPath here{path, {}, count++};
                const uoffset_t built = json_value(item, &here, nullptr);
                elements_.push_back(built);
            }
        } else {
            std::unordered_set<std::string_view> names;
            for (const auto& member : json.GetObject()) {
                const FieldPath here{path, text_of(member.name), count++};
                if (!names.insert(here.name).second) throw_payload_fault(&here, "it is there twice");
                const uoffset_t built = json_value(member.value, &here, &member.name);
                elements_.push_back(built);
            }
        }
        builder_.StartVector(count, sizeof(uoffset_t));
        for (std::size_t i = count; i-- > 0;) builder_.PushElement(flatbuffers::Offset<Value>(static_cast<uoffset_t>(elements_[base + i])));
        elements_.resize(base);
        return builder_.EndVector(count);
    }

    flatbuffers::FlatBufferBuilder& builder_;
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
