#include "src/types/type_names.hpp"

#include <algorithm>
#include <cctype>

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

template <typename Write>
void for_each_event(const Schema& schema, Write&& write) {
    for (const SchemaObject& object : schema.objects()) {
        if (!object.event.empty()) write(object);
    }
}

}  // namespace

std::string type_names_in_c(const Schema& schema, std::string_view guard) {
    std::string text = "/* Types of events. Made from their schema; do not edit. */\n#ifndef " + std::string(guard) + "\n#define " +
                       std::string(guard) + "\n\n";
    for_each_event(schema, [&](const SchemaObject& object) {
        text += "#define SWB_TYPE_" + upper(identifier_of(object.event)) + " \"" + object.event + "\"\n";
    });
    return text + "\n#endif\n";
}

std::string type_names_in_cpp(const Schema& schema, std::string_view generated) {
    std::string text =
        "// Types of events, and the tables that are their payloads. Made from their schema; do not edit.\n#pragma once\n\n#include "
        "<swarmbus/typed.hpp>\n\n#include <" +
        std::string(generated) + ">\n\nnamespace swarmbus {\n\nnamespace event_types {\n";
    for_each_event(schema, [&](const SchemaObject& object) {
        text += "inline constexpr const char* " + identifier_of(object.event) + " = \"" + object.event + "\";\n";
    });
    text += "}  // namespace event_types\n\n";
    for_each_event(schema, [&](const SchemaObject& object) {
        text += "template <>\nstruct EventTypeOf<::" + with_colons(object.name) +
                "> {\n    static constexpr const char* name = event_types::" + identifier_of(object.event) + ";\n};\n";
    });
    return text + "\n}  // namespace swarmbus\n";
}

std::string unusual_type_name(std::string_view type) {
    const auto dots = std::ranges::count(type, '.');
    if (dots == 1 || dots == 2) return {};
    return "'" + std::string(type) + "' has " + std::to_string(dots + 1) + (dots == 0 ? " part" : " parts") +
           "; types are called domain.entity.action, or domain.action";
}

}  // namespace swarmbus::core
