// Several users on one bus, and users who may not.
#include <gtest/gtest.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process_reaping.hpp"
#include "tests/support/process_shm.hpp"

namespace swarmbus::test {
namespace {

// Numbers that no account needs to have.
constexpr uid_t kAlice = 61'001, kBob = 61'002, kEve = 61'003;
constexpr gid_t kCommon = 61'100;

class Users : public testing::Test {
protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "only root can become other users";
    }
    // From here on this child is that user, in a group of its own and perhaps in the common one.
    static void become(uid_t user, bool in_common_group) {
        const gid_t groups[] = {user, kCommon};
        require(
            ::setgroups(in_common_group ? 2 : 1, groups) == 0 && ::setresgid(user, user, user) == 0 && ::setresuid(user, user, user) == 0,
            "becoming another user");
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // was cleared with the change
    }
    // The bus as a service sets it up: for whoever is in the common group.
    std::unique_ptr<Process> start_owner() {
        auto owner = std::make_unique<Process>([this] {
            const gid_t groups[] = {kAlice, kCommon};
            require(::setgroups(2, groups) == 0 && ::setresgid(kCommon, kCommon, kCommon) == 0 && ::setresuid(kAlice, kAlice, kAlice) == 0,
                    "becoming alice");
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            ::umask(0077);  // the mode asked for is the mode it has
            Options options = small_inbox();
            options.permissions = 0660;
            Bus bus(name_, options);
            bus.subscribe("to.alice");
            int descriptor = -1;
            detail::check(swb_descriptor(bus.raw(), &descriptor));
            ready_.send(1);
            for (int n = 0; n < 3; ++n) {
                while (!bus.next(0ns)) {
                    pollfd ready{descriptor, POLLIN, 0};
                    require(::poll(&ready, 1, 20'000) == 1, "woken by the descriptor");
                }
                require(bus.publish("to.bob", Message{}).delivered == 1, "an answer is delivered");
            }
        });
        require(ready_.receive().has_value(), "the owner did not start");
        return owner;
    }
    std::string mode() const {
        struct stat st {};
        ::stat(name_.path().c_str(), &st);
        char text[64];
        std::snprintf(text, sizeof text, "%u:%u %o", st.st_uid, st.st_gid, st.st_mode & 0777);
        return text;
    }

    const BusName name_;
    Channel<int> ready_;
};

TEST_F(Users, of_a_common_group_publish_receive_and_wake_each_other_by_descriptor) {
    const auto alice = start_owner();
    ASSERT_EQ(mode(), "61001:61100 660");
    Process bob([&] {
        become(kBob, true);
        Bus bus(name_, small_inbox());
        bus.subscribe("to.bob");
        int descriptor = -1;
        detail::check(swb_descriptor(bus.raw(), &descriptor));
        const auto start = std::chrono::steady_clock::now();
        for (int n = 0; n < 3; ++n) {
            while (bus.next(0ns)) {}
            require(bus.publish("to.alice", Message{}).delivered == 1, "delivered to another user");
            pollfd ready{descriptor, POLLIN, 0};
            require(::poll(&ready, 1, 20'000) == 1, "woken by the descriptor");
            require(bus.next(kPatience).has_value(), "an answer");
        }
        // By timers alone each answer would take a second.
        require(std::chrono::steady_clock::now() - start < 2500ms, "each wakes the other, not the timer");
    });
    EXPECT_TRUE(bob.ended_well());
    EXPECT_TRUE(alice->ended_well());
}

TEST_F(Users, of_a_common_group_reap_each_others_dead) {
    const auto alice = start_owner();
    const BusTables tables(name_);
    Channel<int> started;
    Process victim([&] {
        become(kBob, true);
        Bus bus(name_, small_inbox());
        take_some_of_everything(bus);
        started.send(1);
        for (;;) ::pause();
    });
    ASSERT_TRUE(started.receive());
    alice->kill();
    Process reaps([&] {
        become(kBob, true);
        const Bus bus(name_);
    });
    EXPECT_TRUE(reaps.ended_well());
    EXPECT_EQ(tables.taken().participants, 1u);
    victim.kill();
    Process carol([&] {
        become(kEve, true);
        const Bus bus(name_);
    });
    EXPECT_TRUE(carol.ended_well());
    const Taken taken = tables.taken();
    EXPECT_EQ(taken.participants + taken.inboxes + taken.writers, 0u) << taken;
}

TEST_F(Users, without_rights_are_told_whose_bus_it_is_and_its_mode) {
    const auto alice = start_owner();
    Process eve([&] {
        become(kEve, false);
        try {
            const Bus bus(name_);
            require(false, "the bus is open to all");
        } catch (const Error& e) {
            const std::string text = e.what();
            require(e.code() == SWB_ERR_PERMISSION, text);
            require(text.find("61001") != std::string::npos, "no owner in: " + text);
            require(text.find("660") != std::string::npos, "no mode in: " + text);
        }
        swb_info info{};
        info.size = sizeof info;
        require(swb_look(name_.c_str(), &info) == SWB_ERR_PERMISSION, "looking");
        require(swb_remove(name_.c_str(), 1) == SWB_ERR_PERMISSION, "removing");
    });
    EXPECT_TRUE(eve.ended_well());
    EXPECT_EQ(mode(), "61001:61100 660");
}

// Alice is not in the group of the bus, and so can't give her files to it.
TEST_F(Users, of_a_bus_for_all_have_the_same_access_within_the_group_of_another_user) {
    Options for_all = small_inbox();
    for_all.permissions = 0666;
    const Bus bus(name_, for_all);
    Channel<int> listening;
    Process alice([&] {
        become(kAlice, false);
        Bus own(name_, small_inbox());
        own.subscribe("to.alice");
        int descriptor = -1;
        detail::check(swb_descriptor(own.raw(), &descriptor));
        require(listening.receive().has_value(), "bob did not start");
        require(own.publish("to.bob", std::string(5000, 'x')), "delivered");
        ready_.send(1);
        for (;;) ::pause();
    });
    Process bob([&] {
        const gid_t groups[] = {kAlice};
        require(::setgroups(1, groups) == 0 && ::setresgid(kBob, kBob, kBob) == 0 && ::setresuid(kBob, kBob, kBob) == 0, "becoming bob");
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        Bus own(name_, small_inbox());
        own.subscribe("to.bob");
        listening.send(1);
        const auto event = own.next(kPatience);
        require(event.has_value() && *event && event->payload().size() == 5000, "what lies in alice's arena is received");
    });
    EXPECT_TRUE(bob.ended_well());
    ASSERT_TRUE(ready_.receive());
    char directory[64];
    std::snprintf(directory, sizeof directory, "/dev/shm/swarmbus-with.%016lx", static_cast<unsigned long>(BusTables(name_).plan().bus_id));
    std::vector<std::filesystem::path> made = {directory};
    for (const auto& entry : std::filesystem::directory_iterator(directory)) made.push_back(entry.path());
    EXPECT_EQ(made.size(), 3u) << "the directory, a socket, an arena";
    for (const std::filesystem::path& path : made) {
        struct stat st {};
        ASSERT_EQ(::stat(path.c_str(), &st), 0);
        EXPECT_EQ(st.st_gid, kAlice) << path;
        EXPECT_EQ((st.st_mode >> 3) & 7, st.st_mode & 7) << path;
    }
}

TEST_F(Users, have_a_bus_for_themselves_unless_they_say_otherwise) {
    Process alice([&] {
        become(kAlice, true);
        const Bus bus(name_);
        ready_.send(1);
        for (;;) ::pause();
    });
    ASSERT_TRUE(ready_.receive());
    Process bob([&] {
        become(kBob, true);
        try {
            const Bus bus(name_);
            require(false, "the bus is open to the group");
        } catch (const Error& e) {
            require(e.code() == SWB_ERR_PERMISSION && std::string(e.what()).find("600") != std::string::npos, e.what());
        }
    });
    EXPECT_TRUE(bob.ended_well());
}

TEST_F(Users, remove_what_their_removed_buses_left_although_another_user_has_a_private_bus) {
    Process alone([&] {
        enter_private_shm("tmpfs", "size=32m,mode=1777");
        const BusName hers, his;
        Process eve([&] {
            become(kEve, false);
            const Bus bus(hers);
            ready_.send(1);
            for (;;) ::pause();
        });
        require(ready_.receive().has_value(), "eve did not start");
        Process bob([&] {
            become(kBob, false);
            const std::string orphan = "/dev/shm/swarmbus-with.0123456789abcdef", shared = "/dev/shm/swarmbus-with.fedcba9876543210";
            require(::mkdir(orphan.c_str(), 0700) == 0 && ::mkdir(shared.c_str(), 0770) == 0, "making directories");
            const Bus bus(his);
            require(::access(orphan.c_str(), F_OK) != 0, "what only bob may enter is removed");
            require(::access(shared.c_str(), F_OK) == 0, "what others may enter may belong to a bus that bob can't open");
        });
        require(bob.ended_well(), "bob");
    });
    EXPECT_TRUE(alone.ended_well());
}

}  // namespace
}  // namespace swarmbus::test
