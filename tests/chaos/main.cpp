// Chaos: processes that come, go, are killed, stopped and forked while all of them publish and receive.
// See kHelp.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "tests/chaos/run.hpp"
#include "tests/support/process.hpp"
#include "tests/support/process_shm.hpp"

namespace swarmbus::chaos {
namespace {

constexpr const char* kHelp = R"(usage: ./dev chaos [OPTIONS]

30 processes that join, leave, are killed, stopped and forked, and publish and receive all the time.
Every event that a publish reported as delivered arrives once, whole and in order, or is counted as
lost with its cause; and nothing is left behind.

  --minutes N   how long (default 10)
  --seconds N   the same in seconds
  --seed N      of all choices; timing is the machine's all the same (default: another each time)
  --tap         cases in the Test Anything Protocol
)";

[[noreturn]] void misunderstood(const std::string& what) {
    std::fprintf(stderr, "chaos: %s\n%s", what.c_str(), kHelp);
    std::exit(2);
}

Settings parse(int argc, char** argv) {
    Settings settings;
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        if (name == "--help" || name == "-h") {
            std::fputs(kHelp, stdout);
            std::exit(0);
        }
        if (name == "--tap") {
            settings.tap = true;
            continue;
        }
        if (name != "--minutes" && name != "--seconds" && name != "--seed") misunderstood("what is '" + name + "'?");
        char* end = nullptr;
        const unsigned long long value = i + 1 < argc ? std::strtoull(argv[++i], &end, 10) : 0;
        if (end == nullptr || *end != '\0' || value == 0) misunderstood(name + " takes a number from 1");
        if (name == "--seed") settings.seed = value;
        else settings.duration = std::chrono::seconds(name == "--minutes" ? 60 * value : value);
    }
    return settings;
}

}  // namespace
}  // namespace swarmbus::chaos

int main(int argc, char** argv) {
    using namespace swarmbus;
    try {
        const chaos::Settings settings = chaos::parse(argc, argv);
        const bool own_shm = test::private_shm_is_allowed();
        // In a child: whatever becomes of it, its /dev/shm and its processes end with it.
        test::Process child([&] {
            if (own_shm) test::enter_private_shm("tmpfs", "size=256m");
            const bool good = chaos::carry_out(settings);
            std::fflush(stdout);
            ::_exit(good ? 0 : 1);
        });
        const auto status = child.wait(settings.duration + std::chrono::seconds(120));
        if (!status) std::puts("# the run did not come to its end");
        return status && WIFEXITED(*status) ? WEXITSTATUS(*status) : 1;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "chaos: %s\n", e.what());
        return 1;
    }
}
