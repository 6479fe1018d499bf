// Source text that names the event types of a schema, for programs in several languages.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/types/schema.hpp"

namespace swarmbus::core {

struct NamedType {
    std::string type;   // "agent.created"
    std::string table;  // "swarmbus.events.AgentCreated"
};

// Those of a schema's tables that name their type.
std::vector<NamedType> named_types(const Schema& schema);

// Macros, such as SWB_TYPE_AGENT_CREATED "agent.created". `guard` is the name of its include guard.
std::string type_names_in_c(std::span<const NamedType> types, std::string_view guard);

// Constants, such as swarmbus::event_types::agent_created; and for each table the type it is published under (the first, if
// there are several), for <swarmbus/typed.hpp>. `generated` is the header that flatc made, as it is to be included: with its brackets or
// quotation marks.
std::string type_names_in_cpp(std::span<const NamedType> types, std::string_view generated);

// Constants, such as AGENT_CREATED = "agent.created".
std::string type_names_in_python(std::span<const NamedType> types);
std::string type_names_in_typescript(std::span<const NamedType> types);

// The table swarmbus::core::kStandardTypes, of each type and the table that is its payload: so that the library need not make
// its own schema ready to know them.
std::string standard_types_in_cpp(std::span<const NamedType> types);

// What is unusual in the name of a type, which should be `domain.entity.action` or `domain.action`; "" if nothing is.
std::string unusual_type_name(std::string_view type);

}  // namespace swarmbus::core
