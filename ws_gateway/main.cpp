// swarmbus-gateway: shows the events of a bus in browsers.
#include <ev.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include <csignal>
#include <exception>
#include <iostream>

#include <CLI/CLI.hpp>

#include "src/tool/exit_status.hpp"
#include "ws_gateway/observe/log.hpp"
#include "ws_gateway/server/gateway.hpp"
#include "ws_gateway/server/options.hpp"
#include "ws_gateway/server/web_server.hpp"

namespace swarmbus::gateway {
namespace {

// For the bus and the loop.
constexpr rlim_t kOwnDescriptors = 32;

// A descriptor for each connection, or fewer connections if there can't be as many.
void make_room_for(std::uint32_t& connections) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    const rlim_t wanted = connections + kOwnDescriptors;
    // libwebsockets makes tables of the limit's size: no larger than needed, either.
    limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur == wanted) return;
    connections = static_cast<std::uint32_t>(limit.rlim_cur > kOwnDescriptors ? limit.rlim_cur - kOwnDescriptors : 1);
    log_warning("gateway", "fewer connections than --max-connections, for want of open files (ulimit -n)",
                {{"connections", std::to_string(connections)}});
}

int run(GatewayOptions options) {
    start_log(options.log_format, options.log_level);
    check(options);
    make_room_for(options.max_connections);
    std::optional<Tokens> tokens;
    if (!options.token_file.empty()) tokens = Tokens::from_file(options.token_file);
    Access access(parse_endpoint(options.listen).host, options.allowed_origins, options.allowed_hosts, std::move(tokens));

    struct ev_loop* const loop = ev_default_loop(0);
    Gateway gateway(options);
    WebServer server(loop, gateway, std::move(access));
    ev_signal ends[2];
    for (int i = 0; i < 2; ++i) {
        ev_signal_init(
            &ends[i], [](struct ev_loop*, ev_signal* watcher, int) { static_cast<WebServer*>(watcher->data)->shut_down(); },
            i == 0 ? SIGTERM : SIGINT);
        ends[i].data = &server;
        ev_signal_start(loop, &ends[i]);
    }
    log_info("gateway", "listening", {{"address", "http://" + server.address()}, {"bus", options.bus}});
    std::cout << "http://" << server.address() << std::endl;
    ::sd_notify(0, "READY=1");
    server.turn();
    ev_run(loop, 0);
    server.throw_if_failed();
    ::sd_notify(0, "STOPPING=1");
    log_info("gateway", "ended");
    return tool::kDone;
}

int print_token(const std::string& name) {
    const NewToken made = make_token(name);
    std::cout << made.token << "\n";
    std::cerr << made.line << "\n";
    return tool::kDone;
}

}  // namespace
}  // namespace swarmbus::gateway

int main(int argc, char** argv) {
    using namespace swarmbus::gateway;
    std::signal(SIGPIPE, SIG_IGN);
    CLI::App app("Shows the events of a SwarmBus in browsers: by WebSocket, Server-Sent Events and long-polling", "swarmbus-gateway");
    app.set_version_flag("--version", SWARMBUS_VERSION);
    GatewayOptions options;
    add_options(app, options);
    std::string name;
    CLI::App* const token =
        app.add_subcommand("token", "Make a token: it goes to standard output, its line for --tokens FILE to standard error: 2>>FILE");
    token->add_option("NAME", name, "Whose it is")->required()->type_name("");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ConfigError& e) {
        std::cerr << "swarmbus-gateway: --config: '" << app.get_config_ptr()->as<std::string>() << "': " << e.what()
                  << "; names in it are those of the flags, without --\n";
        return swarmbus::tool::kUsage;
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? swarmbus::tool::kDone : swarmbus::tool::kUsage;
    }
    try {
        return token->parsed() ? print_token(name) : run(options);
    } catch (const std::invalid_argument& e) {
        std::cerr << "swarmbus-gateway: " << e.what() << "\n";
        return swarmbus::tool::kUsage;
    } catch (const std::exception& e) {
        std::cerr << "swarmbus-gateway: " << e.what() << "\n";
        return swarmbus::tool::kFailure;
    }
}
