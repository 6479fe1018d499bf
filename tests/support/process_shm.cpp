#include "tests/support/process_shm.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "tests/support/process.hpp"

namespace swarmbus::test {
namespace {

void write_file(const char* path, const std::string& text) { std::ofstream(path) << text; }

// As root, a mount namespace; else one within a user namespace where this user is root.
bool enter_mount_namespace() {
    if (::unshare(CLONE_NEWNS) == 0) return true;
    const std::string uid = std::to_string(::geteuid()), gid = std::to_string(::getegid());
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", "0 " + uid + " 1");
    write_file("/proc/self/gid_map", "0 " + gid + " 1");
    return true;
}

bool mount_private_shm(const char* type, const std::string& options) {
    return enter_mount_namespace() && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::mount(type, "/dev/shm", type, 0, options.c_str()) == 0;
}

}  // namespace

bool private_shm_is_allowed() {
    Process tries([] { ::_exit(mount_private_shm("tmpfs", "size=1m") ? 0 : 1); });
    return tries.ended_well();
}

void enter_private_shm(const char* type, const std::string& options) {
    if (!mount_private_shm(type, options)) throw std::system_error(errno, std::generic_category(), "mounting /dev/shm");
}

std::vector<std::string> files_in_shm() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator("/dev/shm")) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace swarmbus::test
