// What the root table of a schema is made of: every table, struct and enum that its fields lead to.
#pragma once

#include <vector>

#include "src/types/schema.hpp"

namespace swarmbus::core {

struct SchemaParts {
    std::vector<const SchemaEnum*> enums;      // unions too
    std::vector<const SchemaObject*> objects;  // structs behind those they hold; then tables, the root first
};

SchemaParts parts_of(const Schema& schema);

}  // namespace swarmbus::core
