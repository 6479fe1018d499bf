// What has the name of a bus but is none, or not one for us: each a clear error, never followed,
// never removed unasked.
#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>
#include <functional>
#include <optional>
#include <string>

#include <swarmbus/swarmbus.hpp>

#include "src/segment/layout.h"
#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"
#include "tests/support/process_shared.hpp"

namespace swarmbus::test {
namespace {

constexpr uid_t kNobody = 65534;

void expect_error(swb_result expected, const std::string& in_message, const std::function<swb_result()>& call) {
    const swb_result result = call();
    require(result == expected,
            std::string("expected ") + swb_result_name(expected) + ", got " + swb_result_name(result) + ": " + swb_last_error());
    require(std::string(swb_last_error()).find(in_message) != std::string::npos, "'" + in_message + "' is not in: " + swb_last_error());
}

swb_result try_to_open(const std::string& name, const Options& options = {}) {
    const swb_options raw = options.raw();
    swb_bus* bus = nullptr;
    const swb_result result = swb_open(name.c_str(), &raw, &bus);
    swb_close(bus);
    return result;
}

swb_result try_to_look(const std::string& name) {
    swb_info info{};
    info.size = sizeof info;
    return swb_look(name.c_str(), &info);
}

struct stat status_of(const std::string& path) {
    struct stat status {};
    ::lstat(path.c_str(), &status);
    return status;
}

template <typename Field>
void patch(const std::string& path, std::size_t at, Field value) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_EQ(::pwrite(fd, &value, sizeof value, static_cast<off_t>(at)), static_cast<ssize_t>(sizeof value));
    ::close(fd);
}

void make_bus(const std::string& path) {
    Bus bus(path.substr(std::string("/dev/shm/swarmbus.").size()));
    bus.subscribe("*");
}

// ipc-21
struct Oddity {
    const char* name;
    void (*make)(const std::string& path);
    swb_result result;
    std::string in_message;
    friend std::ostream& operator<<(std::ostream& out, const Oddity& oddity) { return out << oddity.name; }
};

const Oddity oddities[] = {
    {"empty_file", [](const std::string& path) { std::ofstream{path}; }, SWB_ERR_NOT_A_BUS, "not a SwarmBus bus"},
    {"one_page_of_zeros", [](const std::string& path) { std::ofstream(path) << std::string(4096, '\0'); }, SWB_ERR_NOT_A_BUS,
     "not a SwarmBus bus"},
    {"text", [](const std::string& path) { std::ofstream(path) << std::string(10'000, 'x'); }, SWB_ERR_NOT_A_BUS, "not a SwarmBus bus"},
    {"directory", [](const std::string& path) { ::mkdir(path.c_str(), 0700); }, SWB_ERR_NOT_A_BUS, "not a"},
    {"fifo", [](const std::string& path) { ::mkfifo(path.c_str(), 0600); }, SWB_ERR_NOT_A_BUS, "not a"},
    {"dangling_link", [](const std::string& path) { ASSERT_EQ(::symlink("/dev/shm/nothing-is-here", path.c_str()), 0); }, SWB_ERR_NOT_A_BUS,
     "symbolic link"},
    {"link_to_a_file", [](const std::string& path) { ASSERT_EQ(::symlink("/etc/hostname", path.c_str()), 0); }, SWB_ERR_NOT_A_BUS,
     "symbolic link"},
    {"bus_that_is_not_ready",
     [](const std::string& path) {
         make_bus(path);
         patch(path, offsetof(swb_l_header, layout_hash), std::uint64_t{0});
     },
     SWB_ERR_NOT_A_BUS, "not a SwarmBus bus"},
    {"bus_that_was_cut_short",
     [](const std::string& path) {
         make_bus(path);
         ASSERT_EQ(::truncate(path.c_str(), 8192), 0);
     },
     SWB_ERR_NOT_A_BUS, "cut short"},
    {"bus_that_was_made_longer",
     [](const std::string& path) {
         make_bus(path);
         ASSERT_EQ(::truncate(path.c_str(), status_of(path).st_size + 4096), 0);
     },
     SWB_ERR_NOT_A_BUS, "bytes"},
    {"bus_of_another_version",
     [](const std::string& path) {
         make_bus(path);
         patch(path, offsetof(swb_l_header, version), SWB_LAYOUT_VERSION + 7);
     },
     SWB_ERR_LAYOUT, "layout version " + std::to_string(SWB_LAYOUT_VERSION + 7)},
    {"bus_with_other_offsets",
     [](const std::string& path) {
         make_bus(path);
         patch(path, offsetof(swb_l_header, layout_hash), std::uint64_t{0x1234567});
     },
     SWB_ERR_LAYOUT, "offsets"},
    {"bus_with_impossible_limits",
     [](const std::string& path) {
         make_bus(path);
         patch(path, offsetof(swb_l_header, slot_bytes), std::uint32_t{0xffffffff});
     },
     SWB_ERR_NOT_A_BUS, "slot_bytes"},
    {"bus_with_a_table_elsewhere",
     [](const std::string& path) {
         make_bus(path);
         patch(path, offsetof(swb_l_header, max_types), std::uint32_t{4095});
     },
     SWB_ERR_LAYOUT, "offsets"},
    {"bus_of_an_earlier_boot",
     [](const std::string& path) {
         make_bus(path);
         patch(path, offsetof(swb_l_header, boot_id), std::uint64_t{0x5a5a5a5a5a5a5a5a});
     },
     SWB_ERR_NOT_A_BUS, "last start of this machine"},
};

class OddFile : public testing::TestWithParam<Oddity> {};

TEST_P(OddFile, is_refused_and_left_as_it_is) {
    const BusName name;
    const std::string path = name.path();
    struct Cleanup {
        const std::string& path;
        ~Cleanup() {
            ::rmdir(path.c_str());
            ::unlink(path.c_str());
        }
    } const cleanup{path};
    GetParam().make(path);
    const struct stat before = status_of(path);
    Process tries([&] {
        const auto& [label, make, result, in_message] = GetParam();
        Options only;
        only.open_mode = SWB_OPEN_ONLY;
        expect_error(result, in_message, [&] { return try_to_open(name); });
        expect_error(result, in_message, [&] { return try_to_open(name, only); });
        expect_error(result, in_message, [&] { return try_to_look(name); });
        expect_error(result, in_message, [&] { return swb_remove(name.c_str(), 0); });
        only.open_mode = SWB_CREATE_ONLY;
        expect_error(SWB_ERR_EXISTS, name, [&] { return try_to_open(name, only); });
    });
    EXPECT_TRUE(tries.ended_well());
    const struct stat after = status_of(path);
    EXPECT_EQ(after.st_ino, before.st_ino);
    EXPECT_EQ(after.st_nlink, before.st_nlink);
    EXPECT_EQ(after.st_size, before.st_size);
    if (!S_ISDIR(before.st_mode)) {
        EXPECT_EQ(swb_remove(name.c_str(), 1), SWB_OK) << "force removes whatever has the name";
        EXPECT_NE(::access(path.c_str(), F_OK), 0);
        EXPECT_EQ(try_to_open(name), SWB_OK) << "and the name can be used again";
    }
}

INSTANTIATE_TEST_SUITE_P(Opening, OddFile, testing::ValuesIn(oddities), [](const auto& oddity) { return oddity.param.name; });

TEST(Opening, modes_say_what_there_must_be) {
    const BusName name;
    Options options;
    options.open_mode = SWB_OPEN_ONLY;
    expect_error(SWB_ERR_NO_BUS, name, [&] { return try_to_open(name, options); });
    expect_error(SWB_ERR_NO_BUS, name, [&] { return try_to_look(name); });
    expect_error(SWB_ERR_NO_BUS, name, [&] { return swb_remove(name.c_str(), 0); });
    options.open_mode = SWB_CREATE_ONLY;
    EXPECT_EQ(try_to_open(name, options), SWB_OK);
    expect_error(SWB_ERR_EXISTS, name, [&] { return try_to_open(name, options); });
    options.open_mode = SWB_OPEN_ONLY;
    EXPECT_EQ(try_to_open(name, options), SWB_OK);
}

TEST(Opening, looking_never_creates_anything) {
    const BusName name;
    try_to_look(name);
    EXPECT_NE(::access(name.path().c_str(), F_OK), 0);
}

TEST(Opening, names_that_can_not_be_are_refused_with_the_position_of_the_fault) {
    expect_error(SWB_ERR_BUS_NAME, "empty", [] { return try_to_open(""); });
    expect_error(SWB_ERR_BUS_NAME, "65", [] { return try_to_open(std::string(65, 'a')); });
    expect_error(SWB_ERR_BUS_NAME, "position 0", [] { return try_to_open("../etc"); });
    expect_error(SWB_ERR_BUS_NAME, "position 1", [] { return try_to_open("a/b"); });
    expect_error(SWB_ERR_BUS_NAME, "position 3", [] { return try_to_open("two words"); });
    const BusName name;
    const std::string longest = name.str() + std::string(64 - name.str().size(), 'x');
    EXPECT_EQ(try_to_open(longest), SWB_OK);
    EXPECT_EQ(swb_remove(longest.c_str(), 0), SWB_OK);
}

TEST(Opening, an_existing_bus_with_other_limits_than_asked_for_names_both) {
    const BusName name;
    Options options;
    options.max_types = 64;
    options.slot_bytes = 512;
    EXPECT_EQ(try_to_open(name, options), SWB_OK);
    EXPECT_EQ(try_to_open(name, options), SWB_OK) << "the same limits";
    EXPECT_EQ(try_to_open(name), SWB_OK) << "no limits";
    options.max_types = 128;
    options.slot_bytes = 0;
    expect_error(SWB_ERR_LIMITS, "64", [&] { return try_to_open(name, options); });
    expect_error(SWB_ERR_LIMITS, "128", [&] { return try_to_open(name, options); });
}

TEST(Opening, limits_that_no_bus_can_have_are_refused_before_anything_is_made) {
    const BusName name;
    Options options;
    options.slot_bytes = 100;
    expect_error(SWB_ERR_ARGUMENT, "slot_bytes", [&] { return try_to_open(name, options); });
    options.slot_bytes = 0;
    options.max_subscribers = 5'000;
    expect_error(SWB_ERR_ARGUMENT, "max_subscribers", [&] { return try_to_open(name, options); });
    EXPECT_NE(::access(name.path().c_str(), F_OK), 0);
}

class OtherUser : public testing::Test {
protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    }
    static void become(uid_t user, gid_t group) {
        require(::setgroups(0, nullptr) == 0 && ::setgid(group) == 0 && ::setuid(user) == 0, "becoming another user");
    }
};

// ipc-16
TEST_F(OtherUser, without_permission_is_refused_with_file_owner_and_mode) {
    const BusName name;
    const Bus bus(name);
    Process other([&] {
        become(kNobody, kNobody);
        expect_error(SWB_ERR_PERMISSION, "owned by root, mode 0600", [&] { return try_to_open(name); });
        expect_error(SWB_ERR_PERMISSION, name.path(), [&] { return try_to_look(name); });
        expect_error(SWB_ERR_PERMISSION, name.path(), [&] { return swb_remove(name.c_str(), 1); });
    });
    EXPECT_TRUE(other.ended_well());
    EXPECT_EQ(name.look().participants, 1u);
}

// ipc-16
TEST_F(OtherUser, of_the_group_shares_a_bus_that_was_made_for_it_whatever_the_umask) {
    const BusName name;
    Options options;
    options.permissions = 0660;
    const mode_t before = ::umask(077);
    std::optional<Bus> bus(std::in_place, name, options);
    ::umask(before);
    EXPECT_EQ(status_of(name.path()).st_mode & 07777u, 0660u);
    bus->subscribe("*");
    Process member([&] {
        become(kNobody, ::getegid());
        Bus own(name);
        own.subscribe("*");
        own.publish("from.member", "");
        require(own.next(0ns).value().type() == "from.member", "it receives");
    });
    EXPECT_TRUE(member.ended_well());
    EXPECT_EQ(bus->next(0ns).value().type(), "from.member");
    Process stranger([&] {
        become(kNobody, kNobody);
        expect_error(SWB_ERR_PERMISSION, "mode 0660", [&] { return try_to_open(name); });
    });
    EXPECT_TRUE(stranger.ended_well());
}

// ipc-17: also where fs.protected_regular forbids root to open with O_CREAT what a user made.
TEST_F(OtherUser, made_the_bus_and_root_opens_it) {
    const BusName name;
    Process user([&] {
        become(kNobody, kNobody);
        const Bus bus(name);
    });
    ASSERT_TRUE(user.ended_well());
    Bus bus(name);
    bus.subscribe("*");
    bus.publish("a.b", "");
    EXPECT_TRUE(bus.next(0ns));
    EXPECT_EQ(status_of(name.path()).st_uid, kNobody);
}

}  // namespace
}  // namespace swarmbus::test
