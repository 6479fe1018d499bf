#include <algorithm>
#include <bit>
#include <charconv>
#include <string>
#include <string_view>

#include "src/types/schema_parts.hpp"
#include "src/types/schema_print.hpp"

namespace swarmbus::core {

namespace {

constexpr std::string_view kValueKind = "swarmbus.ValueKind";  // of value.fbs, like swarmbus.Value

std::string_view namespace_of(std::string_view name) {
    const std::size_t dot = name.rfind('.');
    return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}

std::string_view last_part(std::string_view name) { return name.substr(name.rfind('.') + 1); }

class Printer {
public:
    explicit Printer(const Schema& schema) : schema_(schema) {}

    std::string print() {
        const SchemaParts parts = parts_of(schema_);
        const auto any = [&](auto&& holds) { return std::ranges::any_of(parts.objects, holds); };
        if (any([](const SchemaObject* object) { return object->is_json_value; })) text_ += "include \"value.fbs\";\n";
        if (any([](const SchemaObject* object) { return !object->event.empty(); })) text_ += "attribute \"event\";\n";
        // FlatBuffers looks enums and unions up as it reads, tables and structs when it is done.
        for (const SchemaEnum* enumeration : parts.enums) {
            if (enumeration->name != kValueKind) print(*enumeration);
        }
        for (const SchemaObject* object : parts.objects) {
            if (!object->is_json_value) print(*object);
        }
        text_ += "\nroot_type " + schema_.root().name + ";\n";
        if (!schema_.file_identifier().empty()) text_ += "file_identifier \"" + schema_.file_identifier() + "\";\n";
        return text_;
    }

private:
    void begin(const std::string& name, const std::string& comment) {
        if (const std::string_view wanted = namespace_of(name); wanted != namespace_) {
            text_ += "\nnamespace " + std::string(wanted) + ";\n";
            namespace_ = wanted;
        }
        text_ += '\n';
        print_comment(comment, "");
    }

    void print_comment(std::string_view comment, const char* indent) {
        while (!comment.empty()) {
            const std::size_t end = std::min(comment.find('\n'), comment.size());
            text_ += indent + std::string("/// ") + std::string(comment.substr(0, end)) + "\n";
            comment.remove_prefix(std::min(end + 1, comment.size()));
        }
    }

    void print(const SchemaEnum& enumeration) {
        begin(enumeration.name, enumeration.comment);
        const std::string name(last_part(enumeration.name));
        if (enumeration.is_union) {
            text_ += "union " + name + " {";
        } else {
            text_ += "enum " + name + " : " + name_of(SchemaType{enumeration.underlying, BaseType::None, 0, nullptr, nullptr}) +
                     (enumeration.is_flags ? " (bit_flags)" : "") + " {";
        }
        const char* separator = " ";
        for (const SchemaEnumValue& value : enumeration.values) {
            if (enumeration.is_union && value.type.base == BaseType::None) continue;  // NONE
            text_ += separator + value.name;
            if (enumeration.is_union) {
                text_ += ":" + name_of(value.type);
            } else if (enumeration.is_flags) {
                text_ += " = " + std::to_string(std::countr_zero(static_cast<std::uint64_t>(value.value)));
            } else {
                text_ += " = " + (enumeration.underlying == BaseType::ULong ? std::to_string(static_cast<std::uint64_t>(value.value))
                                                                            : std::to_string(value.value));
            }
            separator = ", ";
        }
        text_ += " }\n";
    }

    void print(const SchemaObject& object) {
        begin(object.name, object.comment);
        text_ += (object.is_struct ? "struct " : "table ") + std::string(last_part(object.name));
        if (!object.event.empty()) text_ += " (event: \"" + object.event + "\")";
        text_ += " {\n";
        for (const SchemaField& field : object.fields) {
            if (field.is_tag) continue;  // comes with its union
            print_comment(field.comment, "  ");
            text_ += "  " + field.name + ":" + name_of(field.type) + default_of(field) + attributes_of(field) + ";\n";
        }
        text_ += "}\n";
    }

    static std::string default_of(const SchemaField& field) {
        if (!is_scalar(field.type.base)) return {};
        if (field.optional) return " = null";
        if (is_real(field.type.base)) {
            if (field.default_real == 0) return {};
            char digits[40];
            return " = " + std::string(digits, std::to_chars(digits, digits + sizeof digits, field.default_real).ptr);
        }
        if (field.type.base == BaseType::Bool) return field.default_integer != 0 ? " = true" : "";
        if (field.type.enumeration != nullptr) {
            const SchemaEnumValue* named = field.type.enumeration->find(field.default_integer);
            return " = " + (named != nullptr ? named->name : std::to_string(field.default_integer));
        }
        return field.default_integer == 0 ? "" : " = " + std::to_string(field.default_integer);
    }

    static std::string attributes_of(const SchemaField& field) {
        std::string attributes;
        const auto add = [&](bool has, const char* name) {
            if (has) attributes += (attributes.empty() ? "" : ", ") + std::string(name);
        };
        add(field.required, "required");
        add(field.deprecated, "deprecated");
        add(field.flexbuffer, "flexbuffer");
        return attributes.empty() ? "" : " (" + attributes + ")";
    }

    const Schema& schema_;
    std::string_view namespace_;
    std::string text_;
};

}  // namespace

std::string fbs_of(const Schema& schema) { return Printer(schema).print(); }

}  // namespace swarmbus::core
