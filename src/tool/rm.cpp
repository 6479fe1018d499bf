// swarmbus rm: removes a bus.
#include <memory>

#include <swarmbus/swarmbus.hpp>

#include "src/tool/commands.hpp"
#include "src/tool/exit_status.hpp"

namespace swarmbus::tool {
namespace {

struct RmOptions {
    std::string bus;
    bool force = false;
};

}  // namespace

void add_rm_command(CLI::App& app, Tool& tool) {
    const auto options = std::make_shared<RmOptions>();
    CLI::App* rm = app.add_subcommand("rm", "Remove a bus");
    rm->add_option("BUS", options->bus, "Name of the bus")->required()->type_name("");
    rm->add_flag("-f,--force", options->force, "Also if processes use it, or if it is damaged");
    rm->footer(
        "Processes that use the bus keep what they have; new ones will not find it.\n"
        "\n"
        "Examples:\n"
        "  swarmbus rm demo\n"
        "  swarmbus rm demo --force");
    rm->callback([options, &tool] {
        detail::check(swb_remove(options->bus.c_str(), options->force ? 1 : 0));
        tool.exit_status = kDone;
    });
}

}  // namespace swarmbus::tool
