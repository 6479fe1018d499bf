// ipc-46: the shared library as a plug-in of a program that is not linked with it (and has a copy of
// its own for the test's reader).
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"
#include "tests/support/process_shared.hpp"

namespace swarmbus::test {
namespace {

// Functions looked up in the library.
struct Plugin {
    void* library = ::dlopen(SWARMBUS_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    decltype(&swb_open) open = find<decltype(&swb_open)>("swb_open");
    decltype(&swb_publish) publish = find<decltype(&swb_publish)>("swb_publish");
    decltype(&swb_close) close = find<decltype(&swb_close)>("swb_close");
    template <typename Function>
    Function find(const char* symbol) const {
        if (library == nullptr) throw std::runtime_error(::dlerror());
        return reinterpret_cast<Function>(::dlsym(library, symbol));
    }
};

TEST(Plugin, unloading_it_while_threads_that_used_it_still_run_is_harmless) {
    if (kSanitized) GTEST_SKIP() << "the library needs a sanitizer's run-time library in the main program";
    const BusName name;
    Bus reader(name);
    reader.subscribe("*");
    Process host([&] {
        for (int round = 0; round < 100; ++round) {
            Plugin plugin;
            swb_bus* bus = nullptr;
            require(plugin.open(name.c_str(), nullptr, &bus) == SWB_OK, "open");
            std::atomic<int> published{0};
            std::atomic<bool> unloaded{false};
            std::vector<std::thread> threads;
            for (int t = 0; t < 4; ++t) {
                threads.emplace_back([&] {
                    require(plugin.publish(bus, "a.b", nullptr, 0) == SWB_OK, "publish");
                    ++published;
                    while (!unloaded) std::this_thread::yield();
                });  // ends, with its thread-specific data, when the library is unloaded
            }
            require(eventually([&] { return published == 4; }), "all published");
            plugin.close(bus);
            ::dlclose(plugin.library);
            const pid_t child = ::fork();
            if (child == 0) ::_exit(0);
            int status = 1;
            require(::waitpid(child, &status, 0) == child && status == 0, "fork handlers run");
            unloaded = true;
            for (std::thread& thread : threads) thread.join();
        }
    });
    EXPECT_TRUE(host.ended_well());
    std::uint64_t received = 0;
    while (reader.next(0ns)) ++received;
    EXPECT_EQ(received, 400u);
    EXPECT_EQ(name.look().writers, 0u);
}

}  // namespace
}  // namespace swarmbus::test
