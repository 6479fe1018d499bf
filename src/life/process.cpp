#include "src/life/process.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "src/life/cancellation.hpp"

namespace swarmbus::core {
namespace {

struct Stat {
    char state = 0;
    std::uint64_t start_ticks = 0;
};

// Fields 3 and 22 of a stat file of /proc. state 0: it could not be read.
Stat read_stat(const char* path) noexcept {
    Stat stat;
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return stat;
    char text[1024];
    const ssize_t got = ::read(fd, text, sizeof text - 1);
    ::close(fd);
    if (got <= 0) return stat;
    text[got] = '\0';
    const char* at = std::strrchr(text, ')');  // the name before it may hold anything
    if (at == nullptr || at[1] != ' ') return stat;
    at += 2;
    const char state = *at;
    for (int field = 3; field < 22; ++field) {
        at = std::strchr(at, ' ');
        if (at == nullptr) return stat;
        ++at;
    }
    stat.start_ticks = std::strtoull(at, nullptr, 10);
    stat.state = state;
    return stat;
}

std::uint64_t own_pid_namespace() noexcept {
    struct stat st {};
    return ::stat("/proc/self/ns/pid", &st) == 0 ? st.st_ino : 0;
}

// Whether pids in /proc are ours. Who is in a new PID namespace without a /proc of its own sees that of
// outside, where the same number is another process.
bool proc_shows_our_namespace() noexcept {
    char text[16] = {};
    return ::readlink("/proc/self", text, sizeof text - 1) > 0 && std::strtol(text, nullptr, 10) == ::getpid();
}

bool stopped(char state) noexcept { return state == 'T' || state == 't'; }
bool exiting(char state) noexcept { return state == 'Z' || state == 'X' || state == 'x'; }

// A zombie leader proves nothing: after pthread_exit() in main the other threads live on.
bool all_threads_exiting(std::uint32_t pid) noexcept {
    const std::string directory = "/proc/" + std::to_string(pid) + "/task";
    DIR* tasks = ::opendir(directory.c_str());
    if (tasks == nullptr) return errno == ENOENT;
    bool all = true;
    while (const dirent* entry = ::readdir(tasks)) {
        if (entry->d_name[0] == '.') continue;
        const Stat stat = read_stat((directory + "/" + entry->d_name + "/stat").c_str());
        if (stat.state != 0 && !exiting(stat.state)) {
            all = false;
            break;
        }
    }
    ::closedir(tasks);
    return all;
}

}  // namespace

ProcessIdentity own_identity() noexcept {
    return {static_cast<std::uint32_t>(::getpid()), read_stat("/proc/self/stat").start_ticks, own_pid_namespace()};
}

std::uint32_t this_thread() noexcept {
    static thread_local std::uint32_t id __attribute__((tls_model("initial-exec"))) = 0;
    if (id == 0) id = static_cast<std::uint32_t>(::gettid());
    return id;
}

bool in_our_namespace(const ProcessIdentity& identity) noexcept {
    return identity.pid != 0 && identity.pid_namespace != 0 && identity.pid_namespace == own_pid_namespace();
}

bool pid_is_unused(std::uint32_t pid) noexcept { return ::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH; }

bool process_maps_file(std::uint32_t pid, dev_t device, ino_t inode) noexcept {
    const HoldCancellation hold;
    if (!proc_shows_our_namespace()) return true;
    FILE* maps = std::fopen(("/proc/" + std::to_string(pid) + "/maps").c_str(), "re");
    if (maps == nullptr) return true;
    char line[512];
    std::size_t lines = 0;
    bool found = false;
    while (!found && std::fgets(line, sizeof line, maps) != nullptr) {
        unsigned major_number = 0, minor_number = 0;
        unsigned long number = 0;
        if (std::sscanf(line, "%*x-%*x %*s %*x %x:%x %lu", &major_number, &minor_number, &number) != 3) continue;  // rest of a long one
        ++lines;
        found = number == inode && ::makedev(major_number, minor_number) == device;
    }
    const bool whole = std::ferror(maps) == 0;
    std::fclose(maps);
    // Empty: the leader has ended and its threads may live on.
    return found || !whole || lines == 0;
}

bool process_is_stopped(const ProcessIdentity& identity) noexcept {
    const HoldCancellation hold;
    if (!in_our_namespace(identity)) return false;
    const Stat stat = read_stat(("/proc/" + std::to_string(identity.pid) + "/stat").c_str());
    return stat.start_ticks == identity.start_ticks && stopped(stat.state);
}

bool pid_is_stopped(std::uint32_t pid) noexcept {
    const HoldCancellation hold;
    return stopped(read_stat(("/proc/" + std::to_string(pid) + "/stat").c_str()).state);
}

bool process_is_gone(const ProcessIdentity& identity) noexcept {
    const HoldCancellation hold;
    if (identity.start_ticks == 0 || !in_our_namespace(identity)) return false;
    if (!proc_shows_our_namespace()) return pid_is_unused(identity.pid);
    const Stat stat = read_stat(("/proc/" + std::to_string(identity.pid) + "/stat").c_str());
    if (stat.state == 0) return pid_is_unused(identity.pid);
    return stat.start_ticks != identity.start_ticks || all_threads_exiting(identity.pid);
}

}  // namespace swarmbus::core
