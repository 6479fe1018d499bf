#include "src/segment/companion.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <filesystem>

#include "src/error.hpp"
#include "src/segment/bus_file.hpp"

namespace swarmbus::core {
namespace {

constexpr char kArenaFormat[] = "arena-%hu.%u.%hu";

std::string path_in(std::uint64_t bus_id, const std::string& file) { return companion_directory(bus_id) + "/" + file; }

// Unless somebody else has been faster.
void name_directory(const std::string& temporary, const std::string& path) {
    int failed = ::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE);
    // Without that call the other's may be replaced, but only while nothing is in it; it is used by its name.
    if (failed != 0 && (errno == ENOSYS || errno == EINVAL)) failed = ::rename(temporary.c_str(), path.c_str());
    if (failed == 0) return;
    if (errno != EEXIST && errno != ENOTEMPTY) throw system_error(SWB_ERR_SYSTEM, "naming the directory " + path, errno);
    ::rmdir(temporary.c_str());
}

}  // namespace

SocketPath wake_socket_path(const Segment& segment, std::uint32_t inbox, std::uint64_t gate_generation) noexcept {
    SocketPath path;
    std::snprintf(path.data(), path.size(), "%.*s/%.*s%016" PRIx64 "/wake-%" PRIu32 ".%" PRIu64,
                  static_cast<int>(kSharedMemoryDirectory.size()), kSharedMemoryDirectory.data(), static_cast<int>(kCompanionPrefix.size()),
                  kCompanionPrefix.data(), segment.plan().bus_id, inbox, gate_generation);
    return path;
}

std::string arena_path(const Segment& segment, const ArenaName& arena) { return arena_path(segment.plan().bus_id, arena); }

std::string arena_path(std::uint64_t bus_id, const ArenaName& arena) {
    char file[64];
    std::snprintf(file, sizeof file, kArenaFormat, arena.participant, arena.generation, arena.serial);
    return path_in(bus_id, file);
}

// Made under a temporary name: nobody sees it before the others have their access.
void make_companion_directory(const Segment& segment) {
    const std::string path = companion_directory(segment.plan().bus_id);
    if (::access(path.c_str(), F_OK) == 0) return;
    const std::string temporary = std::string(kSharedMemoryDirectory) + "/" + temporary_file_name();
    if (::mkdir(temporary.c_str(), 0700) != 0) throw system_error(SWB_ERR_SYSTEM, "making the directory " + temporary, errno);
    try {
        share_like_bus(segment, temporary, true);
        name_directory(temporary, path);
    } catch (const Error&) {
        ::rmdir(temporary.c_str());
        throw;
    }
}

void share_like_bus(const Segment& segment, const std::string& path, bool directory) {
    struct stat bus {};
    if (::fstat(segment.fd(), &bus) != 0) throw system_error(SWB_ERR_SYSTEM, "looking at the file of the bus", errno);
    mode_t mode = bus.st_mode & 0666;
    // Who is not in the bus's group can't give the file to it: then its own group are others.
    if (::chown(path.c_str(), static_cast<uid_t>(-1), bus.st_gid) != 0) mode = (mode & 0606) | (mode & 0006) << 3;
    if (directory) mode |= (mode & 0444) >> 2;  // who may read it may enter it
    if (::chmod(path.c_str(), mode) != 0) throw system_error(SWB_ERR_SYSTEM, "sharing " + path + " (chmod)", errno);
}

std::vector<ArenaName> list_arenas(const Segment& segment) { return list_arenas(segment.plan().bus_id); }

std::vector<ArenaName> list_arenas(std::uint64_t bus_id) {
    std::vector<ArenaName> arenas;
    std::error_code none;
    for (auto it = std::filesystem::directory_iterator(companion_directory(bus_id), none);
         !none && it != std::filesystem::directory_iterator(); it.increment(none)) {
        ArenaName arena;
        if (std::sscanf(it->path().filename().c_str(), kArenaFormat, &arena.participant, &arena.generation, &arena.serial) == 3) {
            arenas.push_back(arena);
        }
    }
    return arenas;
}

void remove_companion_directory(std::uint64_t bus_id) noexcept {
    try {
        std::error_code ignored;
        std::filesystem::remove_all(companion_directory(bus_id), ignored);
    } catch (const std::exception&) {
        // Short of memory: it stays, for doctor to find.
    }
}

// Directories first: one that is there then belongs to a bus that is listed behind it, or to none.
//
// Whose a bus is that we may not open can't be told, and a process of ours with another group, or before its
// mode was changed, may have had access. But then others had it too, and the directory made for it is open to
// them: one that only we may enter was made for a bus that was ours. (root opens everybody's.)
std::vector<std::string> list_orphaned_companions() {
    struct Directory {
        std::string path;
        bool only_ours;
    };
    std::vector<Directory> mine;
    std::error_code none;
    const std::string prefix = companion_directory_prefix();
    for (auto it = std::filesystem::directory_iterator(kSharedMemoryDirectory, none); !none && it != std::filesystem::directory_iterator();
         it.increment(none)) {
        const std::string path = it->path();
        struct stat st {};
        if (path.starts_with(prefix) && ::lstat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == ::geteuid()) {
            mine.push_back({path, ::geteuid() != 0 && (st.st_mode & 0077) == 0});
        }
    }
    for (const std::string& name : mine.empty() ? std::vector<std::string>() : list_bus_names()) {
        swb_l_header header{};
        struct stat st {};
        const Descriptor file(::open(bus_path(name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
        if (file.get() >= 0) {
            if (::pread(file.get(), &header, sizeof header, 0) != sizeof header) continue;
            const std::string used = companion_directory(header.bus_id);
            std::erase_if(mine, [&](const Directory& directory) { return directory.path == used; });
        } else if (errno == EACCES && ::lstat(bus_path(name).c_str(), &st) == 0 && st.st_uid != ::geteuid()) {
            std::erase_if(mine, [](const Directory& directory) { return !directory.only_ours; });
        } else if (errno != ENOENT) {
            return {};
        }
    }
    std::vector<std::string> paths;
    for (Directory& directory : mine) paths.push_back(std::move(directory.path));
    return paths;
}

void remove_orphaned_companions() noexcept {
    try {
        for (const std::string& path : list_orphaned_companions()) {
            std::error_code ignored;
            std::filesystem::remove_all(path, ignored);
        }
    } catch (const std::exception&) {
        // Short of memory: the next who creates a bus.
    }
}

}  // namespace swarmbus::core
