// What the gateway is told: by flags, the environment (SWARMBUS_GATEWAY_…) and a TOML file, in this order of rank.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace swarmbus::gateway {

struct GatewayOptions {
    std::string bus = "default";
    bool no_create = false;  // only a bus that is there
    std::string listen = "127.0.0.1:7480";
    std::vector<std::string> follow;  // patterns that are followed from the start

    bool allow_publish = false;
    bool insecure = false;  // other than loopback addresses without tokens
    std::string token_file;
    std::vector<std::string> allowed_origins, allowed_hosts;

    std::uint32_t max_connections = 10'000;
    std::optional<std::uint32_t> max_connections_per_address;  // nothing: as Connections has it
    std::uint32_t max_patterns = 64;
    std::uint32_t max_message_bytes = 64 << 10;  // from a client
    std::uint32_t max_body_bytes = 1 << 20;
    std::uint64_t max_event_bytes = 256 << 10;
    std::uint64_t journal_bytes = 64 << 20, state_bytes = 16 << 20;

    std::chrono::milliseconds heartbeat{30'000};
    std::chrono::milliseconds linger{std::chrono::minutes(5)};
    std::chrono::milliseconds request_timeout{5'000};  // until a request is there whole, or a first message with a token

    std::string log_format = "text", log_level = "info";
    bool echo = false;  // /v1/echo: WebSocket messages come back, for tests of the protocol
};

// Adds the options to the command.
void add_options(CLI::App& app, GatewayOptions& options);

// Whether an address in numbers, or "localhost", is of this machine itself.
bool is_loopback(const std::string& host);

// HOST and PORT of `listen`: "127.0.0.1:7480", "[::1]:7480", "localhost:0".
struct Endpoint {
    std::string host;
    std::uint16_t port = 0;
};
// Throws std::invalid_argument that says what is wrong.
Endpoint parse_endpoint(const std::string& text);

// What can't be together. Throws std::invalid_argument that says what to do.
void check(const GatewayOptions& options);

}  // namespace swarmbus::gateway
