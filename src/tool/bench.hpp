// `swarmbus bench`: latency, throughput, fan-out and wake-up of the bus on this machine.
#pragma once

#include <CLI/CLI.hpp>

namespace swarmbus::tool {

// Adds the command and its subcommands to the tool; sets exit_code when one has run.
void add_bench_command(CLI::App& app, int& exit_code);

}  // namespace swarmbus::tool
