#include "ws_gateway/server/options.hpp"

#include <arpa/inet.h>
#include <swarmbus.h>

#include <charconv>
#include <stdexcept>
#include <string_view>

#include "src/tool/arguments.hpp"

namespace swarmbus::gateway {
namespace {

std::string environment_name(std::string_view option) {
    std::string name = "SWARMBUS_GATEWAY_";
    for (const char c : option) name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return name;
}

// An option that the environment has, too.
template <typename Value>
CLI::Option* add(CLI::App& app, const std::string& name, Value& value, const std::string& help, const std::string& type) {
    return app.add_option("--" + name, value, help)->envname(environment_name(name))->type_name(type)->capture_default_str();
}

void add_duration(CLI::App& app, const std::string& name, std::chrono::milliseconds& value, const std::string& help) {
    app.add_option_function<std::string>(
           "--" + name,
           [&value, name](const std::string& text) {
               value =
                   std::chrono::duration_cast<std::chrono::milliseconds>(tool::parse_duration("--" + name, text, std::chrono::seconds(1)));
           },
           help)
        ->envname(environment_name(name))
        ->type_name("TIME");
}

}  // namespace

void add_options(CLI::App& app, GatewayOptions& options) {
    app.set_config("--config", "", "A TOML file of options, named as the flags are")
        ->type_name("FILE")
        ->check(CLI::ExistingFile.description(""));
    app.allow_config_extras(CLI::config_extras_mode::error);
    app.add_option("-b,--bus", options.bus, "The bus to show")->envname("SWARMBUS_BUS")->type_name("NAME")->capture_default_str();
    app.add_flag("--no-create", options.no_create, "Show only a bus that is there; make none")->envname("SWARMBUS_GATEWAY_NO_CREATE");
    add(app, "listen", options.listen, "Where to listen; port 0 takes a free one", "HOST:PORT");
    add(app, "follow", options.follow, "Patterns to follow from the start, whether a client asks for them or not", "PATTERN...")
        ->delimiter(',');
    app.add_flag("--allow-publish", options.allow_publish, "Let clients publish")->envname("SWARMBUS_GATEWAY_ALLOW_PUBLISH");
    add(app, "tokens", options.token_file, "A file of those who may connect (see 'token')", "FILE");
    app.add_flag("--insecure", options.insecure, "Listen on other than loopback addresses without tokens")
        ->envname("SWARMBUS_GATEWAY_INSECURE");
    add(app, "allow-origin", options.allowed_origins, "Origins of pages that may connect, such as https://dash.example", "ORIGIN...")
        ->delimiter(',');
    add(app, "allow-host", options.allowed_hosts, "Names by which browsers may call the gateway", "NAME...")->delimiter(',');
    add(app, "max-connections", options.max_connections, "Connections at a time", "N");
    add(app, "max-connections-per-address", options.max_connections_per_address,
        "The same from one address (default 256; without a limit from this machine)", "N");
    add(app, "max-patterns", options.max_patterns, "Patterns of a client", "N")->check(CLI::Range(1, 1000).description(""));
    add(app, "max-message-bytes", options.max_message_bytes, "Largest message of a client", "N")
        ->check(CLI::Range(1024, 1 << 26).description(""));
    add(app, "max-body-bytes", options.max_body_bytes, "Largest body of a request", "N")->check(CLI::Range(1024, 1 << 26).description(""));
    add(app, "max-event-bytes", options.max_event_bytes, "Largest payload that is passed on", "N");
    add(app, "journal-bytes", options.journal_bytes, "Memory for events that clients can come back for", "N");
    add(app, "state-bytes", options.state_bytes, "Memory for the last event of each type and subject", "N");
    add_duration(app, "heartbeat", options.heartbeat, "Silence after which a heartbeat is sent (default 30 s)");
    add_duration(app, "linger", options.linger, "How long a pattern is followed after its last client (default 5 min)");
    add_duration(app, "request-timeout", options.request_timeout, "Until a request is there whole (default 5 s)");
    add(app, "log-format", options.log_format, "text or json", "NAME")->check(CLI::IsMember({"text", "json"}).description(""));
    add(app, "log-level", options.log_level, "debug, info, warning or error", "NAME")
        ->check(CLI::IsMember({"debug", "info", "warning", "error"}).description(""));
    app.add_flag("--echo", options.echo, "Send what comes by WebSocket at /v1/echo back, for tests")->group("");
}

bool is_loopback(const std::string& host) {
    if (host == "localhost") return true;
    in_addr v4;
    if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
    in6_addr v6;
    if (::inet_pton(AF_INET6, host.c_str(), &v6) != 1) return false;
    return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
}

Endpoint parse_endpoint(const std::string& text) {
    const auto wrong = [&](const char* what) {
        return std::invalid_argument("--listen: '" + text + "' " + what + "; it is HOST:PORT, such as 127.0.0.1:7480");
    };
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) throw wrong("has no port");
    Endpoint endpoint;
    endpoint.host = text.substr(0, colon);
    const char* const end = text.data() + text.size();
    const auto port = std::from_chars(text.data() + colon + 1, end, endpoint.port);
    if (port.ec != std::errc() || port.ptr != end) throw wrong("has no port from 0 to 65535");
    if (endpoint.host.starts_with('[') && endpoint.host.ends_with(']')) endpoint.host = endpoint.host.substr(1, endpoint.host.size() - 2);
    in_addr v4;
    in6_addr v6;
    if (endpoint.host != "localhost" && ::inet_pton(AF_INET, endpoint.host.c_str(), &v4) != 1 &&
        ::inet_pton(AF_INET6, endpoint.host.c_str(), &v6) != 1) {
        throw wrong("has no address in numbers");
    }
    return endpoint;
}

void check(const GatewayOptions& options) {
    if (!is_loopback(parse_endpoint(options.listen).host) && options.token_file.empty() && !options.insecure) {
        throw std::invalid_argument("--listen: " + options.listen +
                                    " can be reached from other machines; give --tokens FILE, or --insecure to let everybody in");
    }
    for (const std::string& pattern : options.follow) {
        std::size_t position = 0;
        if (swb_check_pattern(pattern.c_str(), &position) != SWB_OK) {
            throw std::invalid_argument("--follow: " + std::string(swb_last_error()));
        }
    }
    if (options.heartbeat < std::chrono::milliseconds(100)) throw std::invalid_argument("--heartbeat: at least 0.1 s");
}

}  // namespace swarmbus::gateway
