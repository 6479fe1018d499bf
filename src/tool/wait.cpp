// swarmbus wait: ends with the first matching event.
#include <memory>
#include <optional>

#include "src/tool/arguments.hpp"
#include "src/tool/commands.hpp"
#include "src/tool/exit_status.hpp"
#include "src/tool/listen.hpp"

namespace swarmbus::tool {
namespace {

struct WaitOptions {
    std::string source;
    std::optional<std::string> timeout;
    std::vector<std::string> patterns;
    EventFormat format = EventFormat::text;
    GatewayOption gateway;
};

int run(const WaitOptions& options, const std::string& bus) {
    Listening what;
    what.bus = bus;
    what.gateway = options.gateway;
    what.patterns = options.patterns;
    what.source = options.source;
    what.count = 1;
    if (options.timeout) what.timeout = parse_duration("--timeout", *options.timeout, std::chrono::seconds(1));
    what.format = options.format;
    return listen(what).events == 1 ? kDone : kTimedOut;
}

}  // namespace

void add_wait_command(CLI::App& app, Tool& tool) {
    const auto options = std::make_shared<WaitOptions>();
    CLI::App* wait = app.add_subcommand("wait", "Wait for one event and print it");
    wait->add_option("PATTERN", options->patterns, "What to wait for; any of several")->required()->type_name("");
    add_bus_option(*wait, tool.bus);
    wait->add_option("-t,--timeout", options->timeout, "Give up after this time, with exit code 124")->type_name("SECONDS");
    wait->add_option("--source", options->source, "By what name others see it; else swarmbus-PID")->type_name("TEXT");
    add_format_options(*wait, options->format);
    add_gateway_option(*wait, options->gateway, {"--source"});
    wait->footer(
        "Only events published after it started count.\n"
        "\n"
        "Examples:\n"
        "  swarmbus wait task.finished --timeout 30 && echo done\n"
        "  swarmbus wait 'agent.7.*' 'alert.>' --json");
    wait->callback([options, &tool] {
        check_gateway_option(options->gateway, tool.bus);
        tool.exit_status = run(*options, chosen_bus(tool.bus));
    });
}

}  // namespace swarmbus::tool
