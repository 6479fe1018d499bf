// swarmbus schema lint: what is wrong or unusual in files of schemas. No bus is needed.
#pragma once

#include <CLI/CLI.hpp>

#include "src/tool/commands.hpp"

namespace swarmbus::tool {

void add_schema_lint(CLI::App& schema, Tool& tool);

}  // namespace swarmbus::tool
