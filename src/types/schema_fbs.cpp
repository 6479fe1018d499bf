#include <algorithm>
#include <bit>
#include <charconv>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "src/error.hpp"
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
    // What is there already, by the same name and the same way, is not printed again.
    void print(const Schema& schema) {
        const SchemaParts parts = parts_of(schema);
        // FlatBuffers looks enums and unions up as it reads, tables and structs when it is done.
        for (const SchemaEnum* enumeration : parts.enums) {
            if (enumeration->name != kValueKind) add(enumeration->name, text_of(*enumeration));
        }
        for (const SchemaObject* object : parts.objects) {
            if (object->is_json_value) {
                has_json_value_ = true;
            } else {
                has_event_ |= !object->event.empty();
                add(object->name, text_of(*object));
            }
        }
    }

    std::string finish() const {
        return std::string(has_json_value_ ? "include \"value.fbs\";\n" : "") + (has_event_ ? "attribute \"event\";\n" : "") + text_;
    }

private:
    void add(const std::string& name, std::string definition) {
        const auto [known, is_new] = definitions_.try_emplace(name, std::move(definition));
        if (!is_new) {
            if (known->second != definition) throw Error(SWB_ERR_SCHEMA, "'" + name + "' is defined in two ways");
            return;
        }
        if (const std::string_view wanted = namespace_of(known->first); wanted != namespace_) {
            text_ += "\nnamespace " + std::string(wanted) + ";\n";
            namespace_ = wanted;
        }
        text_ += '\n' + known->second;
    }

    static std::string text_of_comment(std::string_view comment, const char* indent) {
        std::string text;
        while (!comment.empty()) {
            const std::size_t end = std::min(comment.find('\n'), comment.size());
            text += indent + std::string("/// ") + std::string(comment.substr(0, end)) + "\n";
            comment.remove_prefix(std::min(end + 1, comment.size()));
        }
        return text;
    }

    static std::string text_of(const SchemaEnum& enumeration) {
        std::string text = text_of_comment(enumeration.comment, "");
        const std::string name(last_part(enumeration.name));
        if (enumeration.is_union) {
            text += "union " + name + " {";
        } else {
            text += "enum " + name + " : " + name_of(SchemaType{enumeration.underlying, BaseType::None, 0, nullptr, nullptr}) +
                    (enumeration.is_flags ? " (bit_flags)" : "") + " {";
        }
        const char* separator = " ";
        for (const SchemaEnumValue& value : enumeration.values) {
            if (enumeration.is_union && value.type.base == BaseType::None) continue;  // NONE
            text += separator + value.name;
            if (enumeration.is_union) {
                text += ":" + name_of(value.type);
            } else if (enumeration.is_flags) {
                text += " = " + std::to_string(std::countr_zero(static_cast<std::uint64_t>(value.value)));
            } else {
                text += " = " + (enumeration.underlying == BaseType::ULong ? std::to_string(static_cast<std::uint64_t>(value.value))
                                                                           : std::to_string(value.value));
            }
            separator = ", ";
        }
        return text + " }\n";
    }

    static std::string text_of(const SchemaObject& object) {
        std::string text = text_of_comment(object.comment, "");
        text += (object.is_struct ? "struct " : "table ") + std::string(last_part(object.name));
        if (!object.event.empty()) text += " (event: \"" + object.event + "\")";
        if (object.is_struct && object.alignment > natural_alignment(object)) {
            text += " (force_align: " + std::to_string(object.alignment) + ")";
        }
        text += " {\n";
        for (const SchemaField& field : object.fields) {
            if (field.is_tag) continue;  // comes with its union
            text += text_of_comment(field.comment, "  ") + "  " + field.name + ":" + name_of(field.type) + default_of(field) +
                    attributes_of(field) + ";\n";
        }
        return text + "}\n";
    }

    static std::size_t natural_alignment(const SchemaObject& structure) {
        std::size_t alignment = 1;
        for (const SchemaField& field : structure.fields) alignment = std::max(alignment, inline_alignment(field.type));
        return alignment;
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

    std::map<std::string, std::string> definitions_;  // by name
    std::string_view namespace_;
    std::string text_;
    bool has_json_value_ = false, has_event_ = false;
};

}  // namespace

std::string fbs_of(const Schema& schema) {
    Printer printer;
    printer.print(schema);
    std::string text = printer.finish() + "\nroot_type " + schema.root().name + ";\n";
    if (!schema.file_identifier().empty()) text += "file_identifier \"" + schema.file_identifier() + "\";\n";
    return text;
}

std::string fbs_of(std::span<const Schema* const> schemas) {
    Printer printer;
    for (const Schema* schema : schemas) printer.print(*schema);
    return printer.finish();
}

}  // namespace swarmbus::core
