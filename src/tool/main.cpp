// swarmbus: the bus on the command line. Its manual is docs/tool.md.
#include <signal.h>

#include <algorithm>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <swarmbus/swarmbus.hpp>

#include "src/tool/arguments.hpp"
#include "src/tool/bench.hpp"
#include "src/tool/commands.hpp"
#include "src/tool/exit_status.hpp"
#include "src/tool/streams.hpp"
#include "src/tool/text.hpp"

namespace swarmbus::tool {
namespace {

constexpr int kSignalled = 128;  // above: ended by signal number N - 128

void print(const std::string& text) {
    Output output;
    output.text() = text;
    output.flush();
}

std::string failed_command(const CLI::App& app) {
    const auto commands = app.get_subcommands();
    return commands.empty() ? "swarmbus" : "swarmbus " + commands.front()->get_name();
}

[[noreturn]] void refuse(const CLI::App& app, std::string what) {
    throw UsageError(std::move(what) + "\nTry '" + failed_command(app) + " --help'.");
}

void build(CLI::App& app, Tool& tool) {
    app.name("swarmbus");
    app.description("Publish, receive and watch the events of a SwarmBus.");
    app.set_version_flag("-V,--version", std::string("swarmbus ") + swb_version(), "Print the version");
    app.set_help_flag("-h,--help", "Print this help");
    app.require_subcommand(1);
    add_bus_option(app, tool.bus);
    const auto formatter = std::make_shared<CLI::Formatter>();
    formatter->column_width(30);
    formatter->label("SUBCOMMAND", "COMMAND");
    formatter->label("Positionals", "Arguments");
    formatter->label("REQUIRED", "");
    app.formatter(formatter);
    add_pub_command(app, tool);
    add_sub_command(app, tool);
    add_wait_command(app, tool);
    add_ls_command(app, tool);
    add_ps_command(app, tool);
    add_doctor_command(app, tool);
    add_schema_command(app, tool);
    add_codegen_command(app, tool);
    add_gateway_command(app, tool);
    add_rm_command(app, tool);
    add_bench_command(app, tool.exit_status);
    for (CLI::App* command : app.get_subcommands({})) command->group("Commands");
    app.footer(
        "Examples:\n"
        "  swarmbus sub 'agent.*'                    print events as they come (in one terminal)\n"
        "  swarmbus pub agent.online hello           publish one (in another)\n"
        "  swarmbus wait task.finished --timeout 30  wait for one\n"
        "  swarmbus ls                               list buses\n"
        "\n"
        "Environment:\n"
        "  SWARMBUS_BUS   bus to use when --bus is not given; else 'default'\n"
        "  SWARMBUS_TOKEN token for --gateway\n"
        "  NO_COLOR       no colours on terminals\n"
        "\n"
        "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 events lost (with --strict), 124 not in time;\n"
        "above 128: ended by a signal.");
}

// CLI11 takes a lone '++' as the end of a command and would drop it.
void refuse_plus_plus(const CLI::App& app, int argc, char** argv) {
    const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
    const auto end = std::find(arguments.begin(), arguments.end(), "--");
    if (std::find(arguments.begin(), end, "++") != end) refuse(app, "write '--' before an argument that is just '++'");
}

void parse(CLI::App& app, int argc, char** argv) {
    refuse_plus_plus(app, argc, argv);
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        print(app.help());
    } catch (const CLI::CallForVersion& e) {
        print(std::string(e.what()) + '\n');
    } catch (const CLI::ParseError& e) {
        const auto unknown = app.remaining();
        const bool no_command = app.get_subcommands().empty();
        if (no_command && !unknown.empty()) refuse(app, "there is no command or option '" + printable(unknown.front()) + "'");
        if (no_command && argc <= 1)
            refuse(app, "a command is missing: pub, sub, wait, ls, ps, doctor, schema, codegen, gateway, rm or bench");
        refuse(app, printable(e.what()));
    }
}

// The library's is for programs.
std::string without_advice(const std::string& message) { return message.substr(0, message.find("; ")); }

int status_of(const Error& error) {
    switch (error.code()) {
    case SWB_ERR_ARGUMENT:
    case SWB_ERR_BUS_NAME:
    case SWB_ERR_TYPE_NAME:
    case SWB_ERR_PATTERN: return kUsage;
    default: return kFailure;
    }
}

int run(int argc, char** argv) {
    try {
        Tool tool;
        CLI::App app;
        build(app, tool);
        parse(app, argc, argv);
        return tool.exit_status;
    } catch (const UsageError& e) {
        complain(e.what());
        return kUsage;
    } catch (const Error& e) {
        complain(printable(e.code() == SWB_ERR_GONE ? without_advice(e.what()) + "; start it again" : e.what()));
        return status_of(e);
    } catch (const Ended& e) {
        return kSignalled + e.signal;
    } catch (const std::exception& e) {
        complain(printable(e.what()));
        return kFailure;
    }
}

// Now that the bus is left, the signal may do what it does.
void die_of(int number) {
    ::signal(number, SIG_DFL);
    sigset_t only;
    ::sigemptyset(&only);
    ::sigaddset(&only, number);
    ::sigprocmask(SIG_UNBLOCK, &only, nullptr);
    ::raise(number);
}

}  // namespace
}  // namespace swarmbus::tool

int main(int argc, char** argv) {
    using namespace swarmbus::tool;
    open_missing_standard_streams();
    const int status = run(argc, argv);
    if (status > kSignalled) die_of(status - kSignalled);
    return status;
}
