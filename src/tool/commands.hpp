// The commands of the tool, a file each. A command runs at the end of parsing the command line and
// stores how it ended; what stops it is thrown (exit_status.hpp, swarmbus::Error).
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace swarmbus::tool {

struct Tool {
    std::string bus;  // as given by --bus, before or after the command; see chosen_bus()
    int exit_status = 0;
};

void add_pub_command(CLI::App& app, Tool& tool);
void add_sub_command(CLI::App& app, Tool& tool);
void add_wait_command(CLI::App& app, Tool& tool);
void add_ls_command(CLI::App& app, Tool& tool);
void add_ps_command(CLI::App& app, Tool& tool);
void add_doctor_command(CLI::App& app, Tool& tool);
void add_schema_command(CLI::App& app, Tool& tool);
void add_codegen_command(CLI::App& app, Tool& tool);
void add_gateway_command(CLI::App& app, Tool& tool);
void add_rm_command(CLI::App& app, Tool& tool);

}  // namespace swarmbus::tool
