#include "src/segment/bus_file.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "src/error.hpp"
#include "src/life/cancellation.hpp"
#include "src/life/file_lock.hpp"
#include "src/segment/layout.h"

namespace swarmbus::core {
namespace {

constexpr std::string_view kBusPrefix = "swarmbus.";
constexpr std::string_view kTemporaryPrefix = "swarmbus-new.";
constexpr std::size_t kMaxBusName = 64;
// Longer than any creator needs between making the file and locking it.
constexpr time_t kAbandonedAfterSeconds = 10;

std::string hexadecimal(std::uint64_t number) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (int shift = 60; shift >= 0; shift -= 4) text += digits[(number >> shift) & 0xf];
    return text;
}

bool is_alphanumeric(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool is_old(const struct stat& st) noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec - st.st_mtim.tv_sec > kAbandonedAfterSeconds;
}

bool abandoned(const std::filesystem::path& path) noexcept {
    const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return false;
    struct stat st {};
    const bool ours = ::fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    // With a second name its bus is complete: the creator was killed before it removed this one, and those
    // who use the bus keep the file young.
    const bool named = ours && st.st_nlink > 1;
    const bool result = ((ours && is_old(st)) || named) && !lock_is_held(fd, SWB_LOCK_CREATOR);
    ::close(fd);
    return result;
}

// A companion directory whose maker was killed before it named it: empty.
bool abandoned_directory(const std::filesystem::path& path) noexcept {
    struct stat st {};
    return ::lstat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode) && is_old(st);
}

}  // namespace

void check_bus_name(std::string_view name) {
    const auto fail = [&](const std::string& what) { throw Error(SWB_ERR_BUS_NAME, "bus name '" + std::string(name) + "': " + what); };
    if (name.empty()) fail("it is empty; use 1 to 64 of A-Z a-z 0-9 . _ -");
    if (name.size() > kMaxBusName) {
        fail("it has " + std::to_string(name.size()) + " bytes; at most " + std::to_string(kMaxBusName) + " are allowed");
    }
    for (std::size_t i = 0; i < name.size(); ++i) {
        const char c = name[i];
        const bool good = is_alphanumeric(c) || (i > 0 && (c == '.' || c == '_' || c == '-'));
        if (!good) {
            fail("position " + std::to_string(i) + ": '" + std::string(1, c) +
                 (i == 0 ? "' can't be the first character" : "' is not one of A-Z a-z 0-9 . _ -"));
        }
    }
}

std::string bus_file_name(std::string_view name) { return std::string(kBusPrefix) + std::string(name); }

std::string bus_path(std::string_view name) { return std::string(kSharedMemoryDirectory) + "/" + bus_file_name(name); }

std::uint64_t random_number() noexcept {
    std::uint64_t random = 0;
    if (::getrandom(&random, sizeof random, 0) != sizeof random) {
        timespec now{};
        ::clock_gettime(CLOCK_MONOTONIC, &now);
        random = static_cast<std::uint64_t>(now.tv_nsec) << 32 ^ static_cast<std::uint64_t>(::getpid());
    }
    return random;
}

std::string temporary_file_name() { return std::string(kTemporaryPrefix) + hexadecimal(random_number()); }

std::string companion_directory(std::uint64_t bus_id) { return companion_directory_prefix() + hexadecimal(bus_id); }

std::string companion_directory_prefix() { return std::string(kSharedMemoryDirectory) + "/" + std::string(kCompanionPrefix); }

void remove_abandoned_files() noexcept {
    std::error_code ignored;
    for (auto it = std::filesystem::directory_iterator(kSharedMemoryDirectory, ignored);
         !ignored && it != std::filesystem::directory_iterator(); it.increment(ignored)) {
        if (!it->path().filename().native().starts_with(kTemporaryPrefix)) continue;
        if (abandoned_directory(it->path())) ::rmdir(it->path().c_str());
        else if (abandoned(it->path())) ::unlink(it->path().c_str());
    }
}

std::vector<std::string> list_bus_names() {
    const HoldCancellation hold;
    std::vector<std::string> names;
    std::error_code error;
    for (auto it = std::filesystem::directory_iterator(kSharedMemoryDirectory, error);
         !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
        const std::string file = it->path().filename();
        if (file.starts_with(kBusPrefix)) names.push_back(file.substr(kBusPrefix.size()));
    }
    // Half a list would make what belongs to the rest look like leftovers.
    if (error) throw system_error(SWB_ERR_SYSTEM, "listing " + std::string(kSharedMemoryDirectory), error.value());
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace swarmbus::core
