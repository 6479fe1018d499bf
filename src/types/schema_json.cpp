#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "src/types/json_text.hpp"
#include "src/types/schema_parts.hpp"
#include "src/types/schema_print.hpp"

namespace swarmbus::core {

namespace {

// From the least to the largest number of an integer type.
std::pair<std::int64_t, std::uint64_t> range_of(BaseType type) {
    const auto of = [](auto number) {
        using Limits = std::numeric_limits<decltype(number)>;
        return std::pair(static_cast<std::int64_t>(Limits::min()), static_cast<std::uint64_t>(Limits::max()));
    };
    switch (type) {
    case BaseType::Byte: return of(std::int8_t{});
    case BaseType::UType:
    case BaseType::UByte: return of(std::uint8_t{});
    case BaseType::Short: return of(std::int16_t{});
    case BaseType::UShort: return of(std::uint16_t{});
    case BaseType::Int: return of(std::int32_t{});
    case BaseType::UInt: return of(std::uint32_t{});
    case BaseType::Long: return of(std::int64_t{});
    default: return of(std::uint64_t{});
    }
}

class Printer {
public:
    std::string print(const Schema& schema) {
        json_.begin_object(nullptr);
        member("$schema", "https://json-schema.org/draft/2020-12/schema");
        if (!schema.root().event.empty()) member("title", schema.root().event);
        reference(schema.root());
        key("$defs");
        json_.begin_object(nullptr);
        for (const SchemaObject* object : parts_of(schema).objects) {
            key(object->name);
            if (object->is_json_value) {
                json_.boolean(true);
            } else {
                define(*object);
            }
        }
        json_.end_object();
        json_.end_object();
        return std::string(json_.view());
    }

private:
    void key(std::string_view name) { json_.key(name, nullptr); }
    void member(std::string_view name, std::string_view value) {
        key(name);
        json_.text(value, nullptr);
    }
    void reference(const SchemaObject& object) { member("$ref", "#/$defs/" + object.name); }

    void define(const SchemaObject& object) {
        json_.begin_object(nullptr);
        if (!object.comment.empty()) member("description", object.comment);
        member("type", "object");
        key("properties");
        json_.begin_object(nullptr);
        for (const SchemaField& field : object.fields) {
            if (field.deprecated) continue;
            key(field.name);
            json_.begin_object(nullptr);
            if (!field.comment.empty()) member("description", field.comment);
            if (!field.flexbuffer) constrain(field.type);
            json_.end_object();
        }
        json_.end_object();
        key("required");
        json_.begin_list(nullptr);
        for (const SchemaField& field : object.fields) {
            if (field.required || (object.is_struct && !field.deprecated)) json_.text(field.name, nullptr);
        }
        json_.end_list();
        key("additionalProperties");
        json_.boolean(false);
        json_.end_object();
    }

    void constrain(const SchemaType& type) {
        switch (type.base) {
        case BaseType::String: return member("type", "string");
        case BaseType::Bool: return member("type", "boolean");
        case BaseType::Float:
        case BaseType::Double: return member("type", "number");
        case BaseType::Obj: return reference(*type.object);
        case BaseType::Union: return constrain_union(*type.enumeration);
        case BaseType::Vector:
        case BaseType::Array:
            member("type", "array");
            for (const char* const bound : {"minItems", "maxItems"}) {
                if (type.base != BaseType::Array) break;
                key(bound);
                json_.integer(std::uint64_t{type.fixed_length});
            }
            key("items");
            json_.begin_object(nullptr);
            constrain(type.element_type());
            return json_.end_object();
        default: return constrain_integer(type);
        }
    }

    void constrain_integer(const SchemaType& type) {
        if (type.enumeration != nullptr && !type.enumeration->is_flags) {
            key("anyOf");
            json_.begin_list(nullptr);
            json_.begin_object(nullptr);
            key("enum");
            json_.begin_list(nullptr);
            for (const SchemaEnumValue& value : type.enumeration->values) json_.text(value.name, nullptr);
            json_.end_list();
            json_.end_object();
            json_.begin_object(nullptr);
            constrain_integer({type.base, BaseType::None, 0, nullptr, nullptr});
            json_.end_object();
            return json_.end_list();
        }
        key("type");
        if (type.enumeration != nullptr) {  // flags: names with spaces between, too
            json_.begin_list(nullptr);
            json_.text("integer", nullptr);
            json_.text("string", nullptr);
            json_.end_list();
        } else {
            json_.text("integer", nullptr);
        }
        const auto [least, largest] = range_of(type.base);
        key("minimum");
        json_.integer(least);
        key("maximum");
        json_.integer(largest);
    }

    void constrain_union(const SchemaEnum& types) {
        key("anyOf");
        json_.begin_list(nullptr);
        for (const SchemaEnumValue& value : types.values) {
            if (value.type.base == BaseType::None) continue;
            json_.begin_object(nullptr);
            constrain(value.type);
            json_.end_object();
        }
        json_.end_list();
    }

    JsonText json_;
};

}  // namespace

std::string json_schema_of(const Schema& schema) { return Printer().print(schema); }

}  // namespace swarmbus::core
