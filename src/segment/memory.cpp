#include "src/segment/memory.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace swarmbus::core {
namespace {

constexpr std::uint64_t kAllocationPiece = std::uint64_t{1} << 20;

}  // namespace

std::string mebibytes(std::uint64_t bytes) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / (1 << 20));
    return text;
}

int allocate_memory(int fd, std::uint64_t at, std::uint64_t bytes) noexcept {
    for (std::uint64_t done = 0; done < bytes;) {
        const std::uint64_t piece = std::min(kAllocationPiece, bytes - done);
        if (::fallocate(fd, 0, static_cast<off_t>(at + done), static_cast<off_t>(piece)) == 0) {
            done += piece;
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

void give_memory_back(int fd, std::uint64_t at, std::uint64_t bytes) noexcept {
    while (::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(at), static_cast<off_t>(bytes)) != 0 &&
           errno == EINTR) {}
}

Error no_space(int fd, std::uint64_t needed, const std::string& what, int error_number) {
    if (error_number != ENOSPC) return system_error(SWB_ERR_NO_SPACE, what + " (fallocate)", error_number);
    struct statvfs fs {};
    std::string free_text = "too little";
    if (::fstatvfs(fd, &fs) == 0) free_text = "only " + mebibytes(std::uint64_t{fs.f_bavail} * fs.f_frsize);
    return Error(SWB_ERR_NO_SPACE, what + " needs " + mebibytes(needed) + " in /dev/shm, where " + free_text +
                                       " is free; make /dev/shm larger (mount -o remount,size=…) or ask for less");
}

}  // namespace swarmbus::core
