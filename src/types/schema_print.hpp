// A schema as text: in the language of FlatBuffers, and as JSON Schema of the JSON that events by it have.
#pragma once

#include <span>
#include <string>

#include "src/types/schema.hpp"

namespace swarmbus::core {

// A .fbs file that makes the same schema: what the root table is made of, with its comments. Any JSON (swarmbus.Value) is
// included, as value.fbs.
std::string fbs_of(const Schema& schema);

// What the root tables of all are made of, in one file without a root. Throws SWB_ERR_SCHEMA when two define a name in
// different ways.
std::string fbs_of(std::span<const Schema* const> schemas);

// JSON Schema (2020-12).
std::string json_schema_of(const Schema& schema);

}  // namespace swarmbus::core
