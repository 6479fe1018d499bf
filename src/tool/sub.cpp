// swarmbus sub: prints events and losses.
#include <bit>
#include <map>
#include <memory>
#include <optional>

#include "src/tool/arguments.hpp"
#include "src/tool/commands.hpp"
#include "src/tool/exit_status.hpp"
#include "src/tool/listen.hpp"

namespace swarmbus::tool {
namespace {

struct SubOptions {
    std::string overflow = "drop_oldest", source;
    std::optional<std::string> count, timeout, capacity;
    std::vector<std::string> patterns;
    EventFormat format = EventFormat::text;
    GatewayOption gateway;
    bool strict = false;
};

std::uint32_t parse_capacity(const std::string& text) {
    const std::uint64_t slots = parse_count("--capacity", text);
    if (slots < 16 || slots > 65536 || !std::has_single_bit(slots)) {
        throw UsageError("--capacity: '" + text + "' is not a power of two from 16 to 65536");
    }
    return static_cast<std::uint32_t>(slots);
}

int run(const SubOptions& options, const std::string& bus) {
    static const std::map<std::string, Overflow> kPolicies = {
        {"block", Overflow::block}, {"drop_oldest", Overflow::drop_oldest}, {"drop_newest", Overflow::drop_newest}};
    Listening what;
    what.bus = bus;
    what.gateway = options.gateway;
    what.patterns = options.patterns;
    what.source = options.source;
    what.overflow = kPolicies.at(options.overflow);
    if (options.capacity) what.capacity = parse_capacity(*options.capacity);
    if (options.count) what.count = parse_count("--count", *options.count);
    if (options.timeout) what.timeout = parse_duration("--timeout", *options.timeout, std::chrono::seconds(1));
    what.format = options.format;
    const Heard heard = listen(what);
    if (options.strict && (heard.lost > 0 || heard.incomplete)) return kIncomplete;
    return what.count && heard.events < *what.count ? kTimedOut : kDone;
}

}  // namespace

void add_sub_command(CLI::App& app, Tool& tool) {
    const auto options = std::make_shared<SubOptions>();
    CLI::App* sub = app.add_subcommand("sub", "Print events as they come");
    sub->add_option("PATTERN", options->patterns, "What to receive: '*' some characters, '+' one segment, '>' the rest")
        ->required()
        ->type_name("");
    add_bus_option(*sub, tool.bus);
    sub->add_option("-n,--count", options->count, "End after N events")->type_name("N");
    sub->add_option("-t,--timeout", options->timeout, "End after this time; 0 looks once")->type_name("SECONDS");
    sub->add_option("--overflow", options->overflow, "When the inbox is full: drop_oldest (default), drop_newest or block")
        ->type_name("POLICY")
        ->check(CLI::IsMember({"block", "drop_oldest", "drop_newest"}).description(""));
    sub->add_option("--capacity", options->capacity, "Events the inbox holds: a power of two, 16 to 65536")->type_name("N");
    sub->add_option("--source", options->source, "By what name others see it; else swarmbus-PID")->type_name("TEXT");
    add_format_options(*sub, options->format);
    sub->add_flag("--strict", options->strict, "Exit with 3 if events were lost");
    add_gateway_option(*sub, options->gateway, {"--overflow", "--capacity", "--source"});
    sub->footer(
        "Each line shows time, type, source, subject, sequence and payload. Losses have lines of their\n"
        "own: 'lost 12: 10 evicted, 2 full'. Runs until --count, --timeout or Ctrl-C.\n"
        "\n"
        "Examples:\n"
        "  swarmbus sub 'agent.*'                          agent.created, agent.status.changed, …\n"
        "  swarmbus sub 'task.+.failed' 'alert.>'          several patterns\n"
        "  swarmbus sub '*' --count 3 --timeout 5          exit 124 if there were fewer in time\n"
        "  swarmbus sub '*' --json | jq -r .payload        for programs\n"
        "  swarmbus sub '*' --overflow block --strict      lose nothing, or know it");
    sub->callback([options, &tool] {
        check_gateway_option(options->gateway, tool.bus);
        tool.exit_status = run(*options, chosen_bus(tool.bus));
    });
}

}  // namespace swarmbus::tool
