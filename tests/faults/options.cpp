#include "tests/faults/options.hpp"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace swarmbus::faults {
namespace {

constexpr const char* kHelp = R"(usage: ./dev faults [OPTIONS]

Interrupts operations of a participant after each access to shared memory and each system call, by
SIGKILL and by SIGSTOP and SIGCONT, and checks what all others make of it.

  --sample N            N points in all, spread over all operations
  --operation NAME      only operations with NAME in their name
  --point N             only this point of the operation
  --action kill|stop    only this fault
  --seconds N           try no further point after so long (default 3600); that is a failure
  --update              store the numbers of points found, as those that are expected from now on
  --list                print the points of the operation, and try none
  --tap                 one case for each operation in the Test Anything Protocol
)";

[[noreturn]] void misunderstood(const std::string& what) {
    std::fprintf(stderr, "faults: %s\n%s", what.c_str(), kHelp);
    std::exit(2);
}

unsigned long number(const std::string& name, const std::string& text) {
    std::size_t used = 0;
    unsigned long value = 0;
    try {
        value = std::stoul(text, &used);
    } catch (const std::exception&) {}
    if (used == 0 || used != text.size() || value == 0) misunderstood(name + " takes a number from 1");
    return value;
}

}  // namespace

HarnessOptions parse_options(int argc, char** argv) {
    HarnessOptions options;
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        const auto value = [&]() -> std::string {
            if (i + 1 >= argc) misunderstood(name + " takes a value");
            return argv[++i];
        };
        if (name == "--help" || name == "-h") {
            std::fputs(kHelp, stdout);
            std::exit(0);
        } else if (name == "--update") {
            options.update = true;
        } else if (name == "--list") {
            options.list = true;
        } else if (name == "--tap") {
            options.tap = true;
        } else if (name == "--sample") {
            options.sample = number(name, value());
        } else if (name == "--operation") {
            options.operation = value();
        } else if (name == "--point") {
            options.point = number(name, value());
        } else if (name == "--seconds") {
            options.seconds = std::chrono::seconds(number(name, value()));
        } else if (name == "--stored") {
            options.stored = value();
        } else if (name == "--action") {
            const std::string action = value();
            if (action != "kill" && action != "stop") misunderstood("--action is kill or stop");
            options.action = action == "kill" ? Action::kill : Action::stop;
        } else {
            misunderstood("what is '" + name + "'?");
        }
    }
    return options;
}

}  // namespace swarmbus::faults
