#include "src/segment/header.hpp"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "src/segment/bus_file.hpp"
#include "src/segment/limits.hpp"

namespace swarmbus::core {
namespace {

std::string owner_and_mode(const std::string& path) {
    struct stat st {};
    if (::stat(path.c_str(), &st) != 0) return {};
    const passwd* owner = ::getpwuid(st.st_uid);
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", st.st_mode & 07777u);
    return "; it is owned by " + (owner != nullptr ? std::string(owner->pw_name) : std::to_string(st.st_uid)) + ", mode " + mode;
}

}  // namespace

Error open_error(const std::string& name, int error_number) {
    const std::string path = bus_path(name);
    switch (error_number) {
    case ENOENT: return Error(SWB_ERR_NO_BUS, "there is no bus '" + name + "' (" + path + ")");
    case EACCES:
    case EPERM: return Error(SWB_ERR_PERMISSION, "bus '" + name + "': no permission to open " + path + owner_and_mode(path));
    case ELOOP: return Error(SWB_ERR_NOT_A_BUS, path + " is a symbolic link, not a bus; remove it or choose another name");
    case EISDIR:
    case EINVAL:  // what shm_open() makes of EISDIR
        return Error(SWB_ERR_NOT_A_BUS, path + " is a directory, not a bus; remove it or choose another name");
    default: return system_error(SWB_ERR_SYSTEM, "opening " + path, error_number);
    }
}

void read_boot_id(std::uint8_t (&id)[16]) noexcept {
    std::memset(id, 0, sizeof id);
    FILE* file = std::fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file == nullptr) return;
    int nibble = 0;
    for (int c = 0; nibble < 32 && (c = std::fgetc(file)) != EOF;) {
        const int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (value < 0) continue;
        id[nibble / 2] = static_cast<std::uint8_t>(id[nibble / 2] << 4 | value);
        ++nibble;
    }
    std::fclose(file);
    if (nibble < 32) std::memset(id, 0, sizeof id);
}

swb_l_header read_header(int fd, const std::string& name) {
    const std::string path = bus_path(name);
    struct stat st {};
    if (::fstat(fd, &st) != 0) throw system_error(SWB_ERR_SYSTEM, "looking at " + path, errno);
    if (!S_ISREG(st.st_mode)) throw Error(SWB_ERR_NOT_A_BUS, path + " is not a regular file; remove it or choose another name");
    swb_l_header found{};
    const ssize_t got = ::pread(fd, &found, sizeof found, 0);
    if (got < 0) throw system_error(SWB_ERR_SYSTEM, "reading " + path, errno);
    if (static_cast<std::size_t>(got) < sizeof found || found.magic != SWB_LAYOUT_MAGIC || found.layout_hash == 0) {
        throw Error(SWB_ERR_NOT_A_BUS, path + " is not a SwarmBus bus, or it was cut short; 'swarmbus rm " + name + " --force' removes it");
    }
    if (found.version != SWB_LAYOUT_VERSION) {
        throw Error(SWB_ERR_LAYOUT, "bus '" + name + "' has layout version " + std::to_string(found.version) + ", this build has " +
                                        std::to_string(SWB_LAYOUT_VERSION) +
                                        "; end its users and remove it, or use the build that made it");
    }
    swb_l_header planned{};
    try {
        planned = plan(complete(limits_of(found)));
    } catch (const Error& e) {
        throw Error(SWB_ERR_NOT_A_BUS, path + " has a damaged header: " + e.what());
    }
    if (layout_hash(planned) != found.layout_hash) {
        throw Error(SWB_ERR_LAYOUT, "bus '" + name + "' has other offsets than this build (both say layout version " +
                                        std::to_string(SWB_LAYOUT_VERSION) +
                                        "); end its users and remove it, or use the build that made it");
    }
    if (static_cast<std::uint64_t>(st.st_size) != planned.file_bytes) {
        throw Error(SWB_ERR_NOT_A_BUS, path + " was cut short: it has " + std::to_string(st.st_size) + " bytes of " +
                                           std::to_string(planned.file_bytes) + "; 'swarmbus rm " + name + " --force' removes it");
    }
    std::uint8_t boot_id[16];
    read_boot_id(boot_id);
    // Where /proc can't be read the id is unknown (all zero), here or at the creator.
    const std::uint8_t unknown[sizeof boot_id] = {};
    const bool known = std::memcmp(boot_id, unknown, sizeof boot_id) != 0 && std::memcmp(found.boot_id, unknown, sizeof boot_id) != 0;
    if (known && std::memcmp(boot_id, found.boot_id, sizeof boot_id) != 0) {
        throw Error(SWB_ERR_NOT_A_BUS,
                    path + " was made before the last start of this machine; 'swarmbus rm " + name + " --force' removes it");
    }
    planned.layout_hash = found.layout_hash;
    planned.bus_id = found.bus_id;
    return planned;
}

}  // namespace swarmbus::core
