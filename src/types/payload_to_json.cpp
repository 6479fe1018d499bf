#include "src/types/payload_to_json.hpp"

#include <string>
#include <string_view>

#include <swarmbus/value_generated.h>

#include "src/types/field_path.hpp"
#include "src/types/flat_bytes.hpp"
#include "src/types/flex_json.hpp"

namespace swarmbus::core {

namespace {

class Conversion {
public:
    Conversion(JsonText& json, std::span<const std::byte> payload) : json_(json), bytes_(payload) {}

    void root(const SchemaObject& object) { table(bytes_.root(), object, nullptr); }

private:
    void table(std::size_t at, const SchemaObject& object, const FieldPath* path) {
        if (object.is_json_value) return json_value(at, path);
        json_.begin_object(path);
        for (const SchemaField& field : object.fields) {
            const std::size_t place = bytes_.field(at, field.offset);
            if (place == 0 || field.deprecated) continue;
            const FieldPath here{path, field.name};
            json_.key(field.name, &here);
            if (field.flexbuffer) {
                flexbuffer(place, &here);
            } else {
                value(place, field.type, field, at, &here);
            }
        }
        json_.end_object();
    }

    void structure(std::size_t at, const SchemaObject& object, const FieldPath* path) {
        json_.begin_object(path);
        for (const SchemaField& field : object.fields) {
            const FieldPath here{path, field.name};
            json_.key(field.name, &here);
            value(at + field.offset, field.type, field, at, &here);
        }
        json_.end_object();
    }

    // What stands at a place, of a field of the table or struct at `parent`.
    void value(std::size_t at, const SchemaType& type, const SchemaField& field, std::size_t parent, const FieldPath* path) {
        switch (type.base) {
        case BaseType::String: return json_.text(bytes_.text(bytes_.target(at)), path);
        case BaseType::Obj:
            return type.object->is_struct ? structure(at, *type.object, path) : table(bytes_.target(at), *type.object, path);
        case BaseType::Array: {
            const SchemaType element = type.element_type();
            return list(at, type.fixed_length, element, path,
                        [&](std::size_t place, std::size_t, const FieldPath* here) { value(place, element, field, parent, here); });
        }
        case BaseType::Vector: return vector(bytes_.target(at), type.element_type(), field, parent, path);
        case BaseType::Union: {
            const std::size_t tag = bytes_.field(parent, field.tag->offset);
            return variant(bytes_.target(at), tag == 0 ? 0 : bytes_.read<std::uint8_t>(tag), type, path);
        }
        default: return number(at, type, path);
        }
    }

    template <typename Element>
    void list(std::size_t at, std::size_t count, const SchemaType& element, const FieldPath* path, Element&& write_element) {
        const std::size_t bytes = inline_bytes(element);
        json_.begin_list(path);
        for (std::size_t i = 0; i < count; ++i) {
            const FieldPath here{path, {}, i};
            write_element(at + i * bytes, i, &here);
        }
        json_.end_list();
    }

    void vector(std::size_t at, const SchemaType& element, const SchemaField& field, std::size_t parent, const FieldPath* path) {
        const std::size_t tags = element.base == BaseType::Union ? bytes_.field(parent, field.tag->offset) : 0;
        list(at + 4, bytes_.count(at), element, path, [&](std::size_t place, std::size_t i, const FieldPath* here) {
            if (element.base == BaseType::Union) {
                return variant(bytes_.target(place), bytes_.read<std::uint8_t>(bytes_.target(tags) + 4 + i), element, here);
            }
            value(place, element, field, parent, here);
        });
    }

    void variant(std::size_t at, std::uint8_t tag, const SchemaType& type, const FieldPath* path) {
        const SchemaEnumValue* chosen = type.enumeration->find(tag);
        if (chosen == nullptr) throw_payload_fault(path, "type " + std::to_string(tag) + " is not in " + type.enumeration->name);
        if (chosen->type.base == BaseType::None) {
            json_.null();
        } else if (chosen->type.base == BaseType::String) {
            json_.text(bytes_.text(at), path);
        } else if (chosen->type.object->is_struct) {
            structure(at, *chosen->type.object, path);
        } else {
            table(at, *chosen->type.object, path);
        }
    }

    void number(std::size_t at, const SchemaType& type, const FieldPath* path) {
        switch (type.base) {
        case BaseType::Bool: json_.boolean(bytes_.read<std::uint8_t>(at) != 0); return;
        case BaseType::Float: return json_.real(bytes_.read<float>(at), path);
        case BaseType::Double: return json_.real(bytes_.read<double>(at), path);
        case BaseType::Byte: return integer(bytes_.read<std::int8_t>(at), type, path);
        case BaseType::UType:
        case BaseType::UByte: return integer(bytes_.read<std::uint8_t>(at), type, path);
        case BaseType::Short: return integer(bytes_.read<std::int16_t>(at), type, path);
        case BaseType::UShort: return integer(bytes_.read<std::uint16_t>(at), type, path);
        case BaseType::Int: return integer(bytes_.read<std::int32_t>(at), type, path);
        case BaseType::UInt: return integer(bytes_.read<std::uint32_t>(at), type, path);
        case BaseType::Long: return integer(bytes_.read<std::int64_t>(at), type, path);
        default: return integer(bytes_.read<std::uint64_t>(at), type, path);
        }
    }

    template <typename Integer>
    void integer(Integer number, const SchemaType& type, const FieldPath* path) {
        if (type.enumeration != nullptr && name(static_cast<std::int64_t>(number), *type.enumeration, path)) return;
        json_.integer(static_cast<std::conditional_t<std::is_signed_v<Integer>, std::int64_t, std::uint64_t>>(number));
    }

    // False if there is no name for the number, nor for each of its flags.
    bool name(std::int64_t number, const SchemaEnum& enumeration, const FieldPath* path) {
        if (const SchemaEnumValue* named = enumeration.find(number)) return json_.text(named->name, path), true;
        if (!enumeration.is_flags || number == 0) return false;
        std::string names;
        auto left = static_cast<std::uint64_t>(number);
        for (const SchemaEnumValue& flag : enumeration.values) {
            const auto bits = static_cast<std::uint64_t>(flag.value);
            if (bits == 0 || (left & bits) != bits) continue;
            left &= ~bits;
            names += (names.empty() ? "" : " ") + flag.name;
        }
        return left == 0 && (json_.text(names, path), true);
    }

    void flexbuffer(std::size_t at, const FieldPath* path) {
        const std::size_t vector = bytes_.target(at);
        append_flexbuffer(json_, bytes_.bytes(vector + 4, bytes_.count(vector)), path);
    }

    void json_value(std::size_t at, const FieldPath* path) {
        const auto place = [&](flatbuffers::voffset_t field) { return bytes_.field(at, field); };
        const std::size_t kind = place(Value::VT_KIND);
        switch (kind == 0 ? ValueKind::Null : static_cast<ValueKind>(bytes_.read<std::uint8_t>(kind))) {
        case ValueKind::Null: json_.null(); return;
        case ValueKind::Boolean: {
            const std::size_t it = place(Value::VT_BOOLEAN);
            json_.boolean(it != 0 && bytes_.read<std::uint8_t>(it) != 0);
            return;
        }
        case ValueKind::Integer: {
            const std::size_t it = place(Value::VT_INTEGER);
            json_.integer(it == 0 ? 0 : bytes_.read<std::int64_t>(it));
            return;
        }
        case ValueKind::Unsigned: {
            const std::size_t it = place(Value::VT_UNSIGNED_INTEGER);
            json_.integer(it == 0 ? 0 : bytes_.read<std::uint64_t>(it));
            return;
        }
        case ValueKind::Real: {
            const std::size_t it = place(Value::VT_REAL);
            return json_.marked_real(it == 0 ? 0.0 : bytes_.read<double>(it), path);
        }
        case ValueKind::Text: {
            const std::size_t it = place(Value::VT_TEXT);
            return json_.text(it == 0 ? std::string_view() : bytes_.text(bytes_.target(it)), path);
        }
        case ValueKind::List: return items(place(Value::VT_ITEMS), false, path);
        case ValueKind::Object: return items(place(Value::VT_ITEMS), true, path);
        }
        throw_payload_fault(path, "it is of a kind that swarmbus.Value has not");
    }

    void items(std::size_t place, bool named, const FieldPath* path) {
        named ? json_.begin_object(path) : json_.begin_list(path);
        const std::size_t vector = place == 0 ? 0 : bytes_.target(place);
        const std::uint32_t count = place == 0 ? 0 : bytes_.count(vector);
        for (std::uint32_t i = 0; i < count; ++i) {
            const std::size_t item = bytes_.target(vector + 4 + 4 * std::size_t{i});
            FieldPath here{path, {}, i};
            if (named) {
                const std::size_t name = bytes_.field(item, Value::VT_NAME);
                here.name = name == 0 ? std::string_view() : bytes_.text(bytes_.target(name));
                json_.text(here.name, &here);
            }
            json_value(item, &here);
        }
        named ? json_.end_object() : json_.end_list();
    }

    JsonText& json_;
    const FlatBytes bytes_;
};

}  // namespace

void append_json(JsonText& json, const Schema& schema, std::span<const std::byte> payload) {
    Conversion(json, payload).root(schema.root());
}

}  // namespace swarmbus::core
