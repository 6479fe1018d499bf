// Whether a schema may take the place of another: events written by either are read by the other as they were meant.
#pragma once

#include <optional>
#include <string>

#include "src/types/schema.hpp"

namespace swarmbus::core {

// What forbids it, with the field; nothing if `next` only adds: fields at the end of tables that are not required, values
// to enums and unions, tables. flatc --conform lets more pass: fields added to structs, `required` added, last fields and
// values of enums removed, renamed fields, other roots and file identifiers.
std::optional<std::string> find_incompatibility(const Schema& before, const Schema& next);

// Whether they say the same of an event, comments aside.
bool is_same(const Schema& one, const Schema& other);

}  // namespace swarmbus::core
