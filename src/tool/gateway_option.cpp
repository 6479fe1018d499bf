#include "src/tool/gateway_option.hpp"

#include <algorithm>
#include <cstdlib>

#include "src/tool/exit_status.hpp"
#include "src/tool/input.hpp"

namespace swarmbus::tool {

void add_gateway_option(CLI::App& command, GatewayOption& option, const std::vector<std::string>& local) {
    command.add_option("--gateway", option.url, "A bus elsewhere, by its gateway: ws://HOST:PORT")->type_name("URL");
    command.add_option("--token-file", option.token_file, "The gateway's token; else $SWARMBUS_TOKEN")->type_name("FILE");
    for (const std::string& name : local) option.local.push_back(command.get_option(name));
}

void check_gateway_option(const GatewayOption& option, const std::string& bus) {
    if (!option.given()) {
        if (!option.token_file.empty()) throw UsageError("--token-file: a token is for a gateway; give --gateway, too");
        return;
    }
    if (!bus.empty()) throw UsageError("--gateway: a gateway has a bus of its own; leave --bus out");
    for (const CLI::Option* const other : option.local) {
        if (other->count() > 0) throw UsageError("--gateway: " + other->get_name() + " is about a bus of this machine; leave it out");
    }
}

std::string token_of(const GatewayOption& option) {
    std::string token;
    if (!option.token_file.empty()) {
        token = contents_of(option.token_file);
        token.resize(std::min(token.find_first_of("\r\n"), token.size()));
    } else if (const char* const from_environment = std::getenv("SWARMBUS_TOKEN")) {
        token = from_environment;
    }
    if (!std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7f; }))
        throw UsageError("the token has blanks or other characters that no token has");
    return token;
}

}  // namespace swarmbus::tool
