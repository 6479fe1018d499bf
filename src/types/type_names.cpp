#include "src/types/type_names.hpp"

#include <algorithm>
#include <cctype>
#include <set>

namespace swarmbus::core {

namespace {

// "agent.status.changed" as "agent_status_changed".
std::string identifier_of(std::string_view type) {
    std::string name(type);
    std::ranges::replace_if(
        name, [](char c) { return c == '.' || c == '-'; }, '_');
    return name;
}

std::string upper(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return text;
}

std::string with_colons(std::string_view dotted) {
    std::string name;
    for (const char c : dotted) c == '.' ? static_cast<void>(name += "::") : name.push_back(c);
    return name;
}

constexpr std::string_view kMade = "Types of events. Made from their schema; do not edit.";

}  // namespace

std::vector<NamedType> named_types(const Schema& schema) {
    std::vector<NamedType> types;
    for (const SchemaObject& object : schema.objects()) {
        if (!object.event.empty()) types.push_back({object.event, object.name});
    }
    return types;
}

std::string type_names_in_c(std::span<const NamedType> types, std::string_view guard) {
    std::string text = "/* " + std::string(kMade) + " */\n#ifndef " + std::string(guard) + "\n#define " + std::string(guard) + "\n\n";
    for (const NamedType& named : types) {
        text += "#define SWB_TYPE_" + upper(identifier_of(named.type)) + " \"" + named.type + "\"\n";
    }
    return text + "\n#endif\n";
}

std::string type_names_in_cpp(std::span<const NamedType> types, std::string_view generated) {
    std::string text = "// " + std::string(kMade) + "\n#pragma once\n\n#include <swarmbus/typed.hpp>\n\n#include " +
                       std::string(generated) + "\n\nnamespace swarmbus {\n\nnamespace event_types {\n";
    for (const NamedType& named : types) {
        text += "inline constexpr const char* " + identifier_of(named.type) + " = \"" + named.type + "\";\n";
    }
    text += "}  // namespace event_types\n\n";
    std::set<std::string_view> tables;
    for (const NamedType& named : types) {
        if (!tables.insert(named.table).second) continue;
        text += "template <>\nstruct EventTypeOf<::" + with_colons(named.table) +
                "> {\n    static constexpr const char* name = event_types::" + identifier_of(named.type) + ";\n};\n";
    }
    return text + "\n}  // namespace swarmbus\n";
}

std::string type_names_in_python(std::span<const NamedType> types) {
    std::string text = "\"\"\"" + std::string(kMade) + "\"\"\"\n\n";
    for (const NamedType& named : types) text += upper(identifier_of(named.type)) + " = \"" + named.type + "\"\n";
    return text;
}

std::string type_names_in_typescript(std::span<const NamedType> types) {
    std::string text = "// " + std::string(kMade) + "\n\n";
    for (const NamedType& named : types) text += "export const " + upper(identifier_of(named.type)) + " = \"" + named.type + "\";\n";
    return text;
}

std::string standard_types_in_cpp(std::span<const NamedType> types) {
    std::string text =
        "// " + std::string(kMade) +
        "\n#pragma once\n\nnamespace swarmbus::core {\n\nstruct StandardType {\n    const char* type;\n    const char* root;\n};\n\n"
        "inline constexpr StandardType kStandardTypes[] = {\n";
    for (const NamedType& named : types) text += "    {\"" + named.type + "\", \"" + named.table + "\"},\n";
    return text + "};\n\n}  // namespace swarmbus::core\n";
}

std::string unusual_type_name(std::string_view type) {
    const auto dots = std::ranges::count(type, '.');
    if (dots == 1 || dots == 2) return {};
    return "'" + std::string(type) + "' has " + std::to_string(dots + 1) + (dots == 0 ? " part" : " parts") +
           "; types are called domain.entity.action, or domain.action";
}

}  // namespace swarmbus::core
