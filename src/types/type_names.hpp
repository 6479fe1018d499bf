// Source text that names the event types of a schema, for programs in several languages.
#pragma once

#include <string>
#include <string_view>

#include "src/types/schema.hpp"

namespace swarmbus::core {

// Macros, such as SWB_TYPE_AGENT_CREATED "agent.created". `guard` is the name of its include guard.
std::string type_names_in_c(const Schema& schema, std::string_view guard);

// Constants, such as swarmbus::event_types::agent_created; and for each table the type it is published under, for
// <swarmbus/typed.hpp>. `generated` is the header that flatc made, as it is to be included.
std::string type_names_in_cpp(const Schema& schema, std::string_view generated);

// What is unusual in the name of a type, which should be `domain.entity.action` or `domain.action`; "" if nothing is.
std::string unusual_type_name(std::string_view type);

}  // namespace swarmbus::core
