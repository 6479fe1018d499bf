// swarm-demo: a small swarm of agent processes on one bus, shown live in the terminal.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include <CLI/CLI.hpp>

#include "demo.hpp"

namespace {

constexpr int kUsage = 2;

constexpr const char* kFooter = R"(
Examples:
  swarm-demo                            watch the swarm; q or Ctrl-C ends it
  swarm-demo --seconds 10 --plain       run unattended and print a summary
  swarm-demo --bus office               name the bus, to look at it from another terminal:
  swarmbus -b office sub 'task.failed'
  swarm-demo --kill-every 1.5           kill agents more often

Every few seconds the demo kills one of its agents with SIGKILL, all in turn, and starts it again after a
second. "Back" is one whose events arrive again. Kill an agent yourself, or stop one, and watch what the
others do:
  swarm-demo --no-kills
  kill -9 PID

Exit status: 0; 1 if an agent ended unasked, one that the demo killed did not come back, nothing was
received, or the demo can't run; 2 for wrong options.)";

}  // namespace

int main(int argc, char** argv) {
    swarm::DemoOptions options;
    double seconds = 0, kill_every = options.kill_every->count();
    bool no_kills = false;
    CLI::App app("A swarm of 11 agent processes that plan, code, review and test, shown live.", "swarm-demo");
    app.footer(kFooter);
    app.add_option("-b,--bus", options.bus,
                   "name of the bus; it is made, and removed at the end, unless it is there already (default: demo-PID)");
    app.add_option("--seconds", seconds, "end after this time (default: never, or 30 in plain mode)")->check(CLI::PositiveNumber);
    app.add_flag("--plain", options.plain, "a line a second instead of a picture; so it is, too, when standard output is no terminal");
    bool no_gateway = false;
    app.add_flag("--no-gateway", no_gateway, "don't show the swarm in browsers");
    CLI::Option* const every =
        app.add_option("--kill-every", kill_every, "kill an agent whenever this time has passed (default: 4)")->check(CLI::PositiveNumber);
    app.add_flag("--no-kills", no_kills, "kill none")->excludes(every);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : kUsage;
    }
    options.kill_every.reset();
    if (!no_kills) options.kill_every = std::chrono::duration<double>(kill_every);
    if (seconds > 0) options.length = std::chrono::duration<double>(seconds);

    if (const char* const tool = std::getenv("SWARM_DEMO_TOOL")) options.tool = tool;
    try {
        const std::filesystem::path here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
        options.agent_folder = here / "agents";
        // Where it is built; it is not installed.
        if (!no_gateway) options.gateway = (here / "../../ws_gateway/swarmbus-gateway").lexically_normal();
        return swarm::run_demo(options);
    } catch (const std::exception& error) {
        std::cerr << "swarm-demo: " << error.what() << '\n';
        return 1;
    }
}
