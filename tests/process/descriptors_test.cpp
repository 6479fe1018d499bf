// The library's descriptors in hosts that close theirs, start programs, or have hardly any.
#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"
#include "tests/support/process_shared.hpp"

namespace swarmbus::test {
namespace {

// Descriptors of this process that refer to files of a bus.
std::vector<int> descriptors_of_buses() {
    std::vector<int> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        const std::string target = std::filesystem::read_symlink(entry.path(), gone);
        if (target.find("/swarmbus") != std::string::npos) found.push_back(std::stoi(entry.path().filename()));
    }
    return found;
}

// What of the file never changes: magic, version, offsets.
std::string constant_part(const BusName& name) {
    std::string bytes(256, '\0');
    std::ifstream(name.path(), std::ios::binary).read(bytes.data(), 256);
    return bytes;
}

// ipc-01
TEST(Descriptors, of_closed_standard_streams_are_never_the_librarys) {
    const BusName name;
    Bus bus(name);
    bus.subscribe("*");
    const std::string before = constant_part(name);
    for (const bool creates : {false, true}) {
        const BusName fresh;
        const BusName& target = creates ? fresh : name;
        Process host([&] {
            for (const int stream : {0, 1, 2}) ::close(stream);
            Bus own(target);
            own.subscribe("own.*");
            own.publish("a.b", "");
            // Where a library is careless, these land in the bus.
            std::fprintf(stderr, "a message to a closed stream\n");
            std::printf("output to a closed stream\n");
            std::fflush(stdout);
            for (const int fd : descriptors_of_buses()) {
                if (fd < 3) ::_exit(3);
                if ((::fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) ::_exit(4);
            }
            ::_exit(descriptors_of_buses().empty() ? 5 : 0);
        });
        EXPECT_EQ(host.wait(), 0);
        EXPECT_EQ(constant_part(target).substr(0, 8), before.substr(0, 8));
    }
    EXPECT_EQ(constant_part(name), before);
    EXPECT_TRUE(bus.next(0ns));
}

// ipc-41
// Seen when there are no others: then there is none.
TEST(Descriptors, of_closed_standard_streams_are_never_those_of_large_events) {
    const BusName name;
    Process host([&] {
        Bus bus(name);
        bus.subscribe("*");
        bus.publish("small", "");
        require(bus.next(0ns).has_value(), "received");
        const std::string large(5000, 'x');
        const auto publish = [&] { return swb_publish(bus.raw(), "large", large.data(), large.size()); };
        rlimit normal{};
        ::getrlimit(RLIMIT_NOFILE, &normal);
        const rlimit few{64, normal.rlim_max};
        const auto publish_with_only_0_free = [&] {
            ::setrlimit(RLIMIT_NOFILE, &few);
            while (::open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0) {}
            ::close(STDIN_FILENO);
            const swb_result result = publish();
            require(::open("/dev/null", O_RDONLY | O_CLOEXEC) == STDIN_FILENO, "it is free still");
            ::setrlimit(RLIMIT_NOFILE, &normal);
            return result;
        };
        require(publish_with_only_0_free() == SWB_ERR_SYSTEM, "no arena is made");
        require(publish() == SWB_OK, "with other numbers it is");
        require(publish_with_only_0_free() == SWB_ERR_SYSTEM, "none of its memory is taken");
        require(publish() == SWB_OK, "with other numbers it is");
    });
    EXPECT_TRUE(host.ended_well());
}

TEST(Descriptors, reach_no_program_that_is_started_while_buses_open_and_close) {
    if (kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer does not support fork() in a process with threads";
    const BusName name;
    const Bus keeps_it(name);
    std::atomic<bool> stop{false};
    std::vector<std::thread> busy;
    for (int t = 0; t < 2; ++t) {
        busy.emplace_back([&] {
            while (!stop) {
                Bus own(name);
                own.subscribe("*");
                own.publish("a.b", "");
            }
        });
    }
    for (int round = 0; round < rounds(50, 10); ++round) {
        // system() and popen() use vfork(); what they start shows its own descriptors.
        FILE* listing = ::popen("ls -l /proc/self/fd", "r");
        ASSERT_NE(listing, nullptr);
        std::string text(1 << 16, '\0');
        text.resize(std::fread(text.data(), 1, text.size(), listing));
        ASSERT_EQ(::pclose(listing), 0);
        ASSERT_NE(text.find("/proc/"), std::string::npos) << "a listing";
        ASSERT_EQ(text.find("swarmbus"), std::string::npos) << text;
    }
    stop = true;
    for (std::thread& thread : busy) thread.join();
}

// ipc-41: a helper that was started lives on; its parent is gone all the same.
TEST(Descriptors, of_a_dead_process_are_not_kept_by_a_program_it_started) {
    const BusName name;
    const Bus keeps_it(name);
    Channel<pid_t> started;
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    Process parent([&] {
        Bus own(name);
        own.subscribe("*");
        pid_t helper = 0;
        const char* const arguments[] = {"sleep", "600", nullptr};
        require(::posix_spawnp(&helper, "sleep", nullptr, nullptr, const_cast<char**>(arguments), environ) == 0, "posix_spawn");
        started.send(helper);
        ::pause();
    });
    const auto helper = started.receive();
    ASSERT_TRUE(helper);
    EXPECT_EQ(name.look().participants, 2u);
    parent.kill();
    EXPECT_EQ(name.look().participants, 1u);
    EXPECT_EQ(::kill(*helper, SIGKILL), 0) << "the helper still runs";
    ::waitpid(*helper, nullptr, 0);
}

// ipc-21: an open that fails half way leaves a running bus as it was.
class FailedOpen : public testing::TestWithParam<bool> {
protected:
    // Opens the bus in a process with this limit. False if it succeeded there; if it failed, all is as
    // it was.
    bool fails_under(decltype(RLIMIT_AS) resource, rlim_t limit, const std::vector<swb_result>& allowed) {
        constexpr int kSucceeded = 9 << 8;
        const BusName name;
        std::optional<Bus> bus;
        if (GetParam()) {
            bus.emplace(name);
            bus->subscribe("*");
        }
        struct stat before {};
        ::stat(name.path().c_str(), &before);
        Process host([&] {
            rlimit usual{};
            ::getrlimit(resource, &usual);
            const rlimit lowered{limit, usual.rlim_max};
            require(::setrlimit(resource, &lowered) == 0, "setrlimit");
            swb_bus* own = nullptr;
            const swb_result result = swb_open(name.c_str(), nullptr, &own);
            if (result == SWB_OK) ::_exit(9);
            ::setrlimit(resource, &usual);
            std::ifstream maps("/proc/self/maps");
            for (std::string line; std::getline(maps, line);) {
                // The bus that runs was open here before the fork.
                if (!GetParam() && line.find("/dev/shm/swarmbus") != std::string::npos) ::_exit(3);
            }
            ::_exit(std::find(allowed.begin(), allowed.end(), result) != allowed.end() && *swb_last_error() != '\0' ? 0 : 2);
        });
        const std::optional<int> status = host.wait();
        if (status == kSucceeded) return false;
        EXPECT_EQ(status, 0) << "limit " << limit;
        struct stat after {};
        EXPECT_EQ(::stat(name.path().c_str(), &after) == 0, GetParam());
        EXPECT_EQ(after.st_ino, before.st_ino);
        EXPECT_EQ(after.st_nlink, before.st_nlink);
        EXPECT_EQ(after.st_size, before.st_size);
        if (bus) {
            bus->publish("a.b", "");
            EXPECT_TRUE(bus->next(0ns));
            EXPECT_EQ(name.look().participants, 1u);
        }
        return true;
    }
};

TEST_P(FailedOpen, for_lack_of_address_space_changes_nothing) {
    if (kSanitized) GTEST_SKIP() << "sanitizers need terabytes of address space";
    EXPECT_TRUE(fails_under(RLIMIT_AS, rlim_t{1} << 30, {SWB_ERR_NO_SPACE, SWB_ERR_MEMORY}));
}

TEST_P(FailedOpen, for_lack_of_descriptors_changes_nothing) {
    rlim_t limit = 3;
    while (fails_under(RLIMIT_NOFILE, limit, {SWB_ERR_SYSTEM})) ++limit;
    EXPECT_GT(limit, 3u);
}

// A list that ends early would make what belongs to the rest look like leftovers.
TEST(List, that_can_not_be_made_is_an_error_and_no_empty_list) {
    if (kSanitized) GTEST_SKIP() << "sanitizers need descriptors to look at exceptions";
    Process host([] {
        const auto ignore = [](const char*, void*) {};
        require(swb_list(ignore, nullptr) == SWB_OK, swb_last_error());
        const rlimit none{0, 0};
        ::setrlimit(RLIMIT_NOFILE, &none);
        require(swb_list(ignore, nullptr) == SWB_ERR_SYSTEM, "without a descriptor /dev/shm can't be listed");
        require(std::string(swb_last_error()).find("listing /dev/shm") != std::string::npos, swb_last_error());
    });
    EXPECT_TRUE(host.ended_well());
}

INSTANTIATE_TEST_SUITE_P(Descriptors, FailedOpen, testing::Values(false, true),
                         [](const auto& exists) { return exists.param ? "of_a_bus_that_runs" : "of_a_new_bus"; });

}  // namespace
}  // namespace swarmbus::test
