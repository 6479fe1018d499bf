// Creators that are killed, many that create at once, and what they leave behind: one bus, whole or
// not at all.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"
#include "tests/support/process_shared.hpp"
#include "tests/support/process_shm.hpp"
#include "tests/support/process_step.hpp"

namespace swarmbus::test {
namespace {

// A bus works when a process can open it, and its own subscription gets its own event.
void require_bus_works(const std::string& name) {
    Bus bus(name);
    bus.subscribe("own.*");
    bus.publish("own.event", "");
    require(bus.next(0ns).has_value(), "a bus that was created works");
}

ino_t inode_of(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

// Half-made buses; the library calls them so until they have their name.
std::vector<std::string> unfinished() {
    std::vector<std::string> found;
    for (const std::string& file : files_in_shm()) {
        if (file.starts_with("swarmbus-new.")) found.push_back("/dev/shm/" + file);
    }
    return found;
}

void make_older(const std::string& path, int seconds) {
    timespec times[2] = {};
    ::clock_gettime(CLOCK_REALTIME, &times[0]);
    times[0].tv_sec -= seconds;
    times[1] = times[0];
    ::utimensat(AT_FDCWD, path.c_str(), times, 0);
}

class Creation : public testing::Test {
protected:
    void SetUp() override {
        if (!private_shm_is_allowed()) GTEST_SKIP() << "this user may not mount a file system of its own";
    }
    // In a /dev/shm where nobody else creates anything.
    template <typename Body>
    static bool alone(Body&& body) {
        Process child([&] {
            enter_private_shm("tmpfs", "size=256m");
            body();
        });
        return child.ended_well(3 * kPatience);
    }
};

// ipc-21
TEST_F(Creation, by_eight_at_once_with_one_killed_makes_exactly_one_bus) {
    EXPECT_TRUE(alone([&] {
        std::mt19937 random(std::random_device{}());
        for (int round = 0; round < rounds(200, 20); ++round) {
            const BusName name;
            const auto inodes = std::make_unique<Shared<std::array<std::atomic<ino_t>, 8>>>();
            const auto arrived = std::make_unique<Shared<std::atomic<int>>>();
            const auto go = std::make_unique<Shared<std::atomic<bool>>>();
            const auto done = std::make_unique<Shared<std::atomic<bool>>>();
            std::vector<std::unique_ptr<Process>> processes;
            for (std::size_t p = 0; p < 8; ++p) {
                processes.push_back(std::make_unique<Process>([&, p] {
                    ++**arrived;
                    while (!**go) std::this_thread::yield();
                    Bus bus(name);
                    (**inodes)[p] = inode_of(name.path());
                    require(eventually([&] { return (**done).load(); }), "the round ends");
                }));
            }
            require(eventually([&] { return **arrived == 8; }), "all start");
            const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(random() % 2'000);
            **go = true;
            while (std::chrono::steady_clock::now() < until) {}
            processes[0]->kill();
            for (std::size_t p = 1; p < 8; ++p) {
                require(eventually([&] { return (**inodes)[p] != 0; }), "a process could not open the bus");
                require((**inodes)[p] == inode_of(name.path()), "there is more than one bus");
            }
            require(name.look().participants == 7, "all that live are on it");
            **done = true;
            for (std::size_t p = 1; p < 8; ++p) require(processes[p]->ended_well(), "a process did not end well");
        }
        // What the killed ones left is removed by a later creation, once nobody can still be at it.
        for (const std::string& path : unfinished()) make_older(path, 60);
        const BusName name;
        require_bus_works(name);
        require(unfinished().empty(), "an abandoned file is still there");
    }));
}

// ipc-21: at every system call of a creation.
TEST_F(Creation, killed_at_any_system_call_leaves_a_whole_bus_or_none) {
    EXPECT_TRUE(alone([&] {
        bool finished = false;
        for (int calls = 1; !finished; ++calls) {
            require(calls < 500, "a creation makes hundreds of system calls");
            const BusName name;
            SteppedProcess creator([&] {
                SteppedProcess::mark();
                const Bus bus(name);
                SteppedProcess::mark();
            });
            require(creator.run_to_mark(), "the creator starts");
            finished = creator.step_system_calls(calls) < calls;
            creator.process().kill();
            require_bus_works(name);
            for (const std::string& path : unfinished()) make_older(path, 60);
            const BusName next;
            require_bus_works(next);
            require(unfinished().empty(), "an abandoned file is still there");
        }
    }));
}

TEST_F(Creation, does_not_remove_what_another_is_still_building) {
    EXPECT_TRUE(alone([&] {
        const BusName name, other_name;
        // Stopped while its file has no name yet, for however long.
        std::unique_ptr<SteppedProcess> creator;
        for (int calls = 1; unfinished().empty() || !creator; ++calls) {
            creator = std::make_unique<SteppedProcess>([&] {
                SteppedProcess::mark();
                const Bus bus(name);
                bus.raw();
            });
            require(creator->run_to_mark(), "the creator starts");
            require(creator->step_system_calls(calls) == calls, "the creator finished before it was caught");
            if (unfinished().empty()) creator->process().kill();
        }
        require(creator->step_system_calls(20) == 20, "some more, to where it has locked its file");
        require(unfinished().size() == 1, "one bus is being built");
        make_older(unfinished()[0], 3'600);
        require_bus_works(other_name);
        require(unfinished().size() == 1, "an hour later it is still there");
        creator->leave_running();
        require(creator->process().ended_well(), "the creator goes on");
        require_bus_works(name);
    }));
}

TEST_F(Creation, of_the_directory_beside_a_bus_may_be_killed_at_any_system_call_and_shuts_nobody_out) {
    EXPECT_TRUE(alone([] {
        bool finished = false;
        for (int calls = 1; !finished; ++calls) {
            const BusName name;
            Options for_the_group;
            for_the_group.permissions = 0660;
            const Bus bus(name, for_the_group);
            SteppedProcess maker([&] {
                Bus own(name);
                SteppedProcess::mark();
                own.publish("own.event", std::string(5000, 'x'));
                SteppedProcess::mark();
            });
            require(maker.run_to_mark(), "the maker starts");
            finished = maker.step_system_calls(calls) < calls;
            maker.process().kill();
            for (const std::string& file : files_in_shm()) {
                struct stat st {};
                if (!file.starts_with("swarmbus-with.") || ::stat(("/dev/shm/" + file).c_str(), &st) != 0) continue;
                require((st.st_mode & 0777) == 0770, "after " + std::to_string(calls) + " calls it is not open to the group");
            }
            for (const std::string& path : unfinished()) make_older(path, 3'600);
            const BusName other;
            require_bus_works(other);
            require(unfinished().empty(), "after " + std::to_string(calls) + " calls something is left for ever");
        }
    }));
}

TEST_F(Creation, ignores_files_that_are_young_or_not_its_own) {
    EXPECT_TRUE(alone([&] {
        const auto make = [](const std::string& path, int age) {
            ::close(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
            make_older(path, age);
        };
        make("/dev/shm/swarmbus-new.young", 1);
        make("/dev/shm/swarmbus-old", 3'600);
        make("/dev/shm/other", 3'600);
        make("/dev/shm/swarmbus-new.abandoned", 3'600);
        const BusName name;
        require_bus_works(name);
        const std::vector<std::string> expected = {"other", "swarmbus-new.young", "swarmbus-old", "swarmbus." + name.str()};
        require(files_in_shm() == expected, "one of four files is removed");
    }));
}

}  // namespace
}  // namespace swarmbus::test
