// --gateway: a command goes to a bus elsewhere, by a gateway there.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace swarmbus::tool {

struct GatewayOption {
    std::string url;  // "": not given
    std::string token_file;
    std::vector<const CLI::Option*> local;  // of the same command, that make no sense with it

    bool given() const noexcept { return !url.empty(); }
};

// --gateway and --token-file. `local`: options of the command, made before, that are about a bus of this machine.
void add_gateway_option(CLI::App& command, GatewayOption& option, const std::vector<std::string>& local);
// Throws UsageError for what can't be together. `bus`: as given by --bus.
void check_gateway_option(const GatewayOption& option, const std::string& bus);
// What to say to be let in: of the file, else SWARMBUS_TOKEN, else "". Throws UsageError if it can't be one.
std::string token_of(const GatewayOption& option);

}  // namespace swarmbus::tool
