#include "src/life/file_lock.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "src/error.hpp"

namespace swarmbus::core {
namespace {

struct flock one_byte(short type, std::uint64_t byte) noexcept {
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = static_cast<off_t>(byte);
    lock.l_len = 1;
    return lock;
}

}  // namespace

bool try_lock(int fd, std::uint64_t byte) {
    struct flock lock = one_byte(F_WRLCK, byte);
    for (;;) {
        if (::fcntl(fd, F_OFD_SETLK, &lock) == 0) return true;
        if (errno == EAGAIN || errno == EACCES) return false;
        if (errno != EINTR) throw system_error(SWB_ERR_SYSTEM, "locking a byte of the bus (fcntl F_OFD_SETLK)", errno);
    }
}

void unlock(int fd, std::uint64_t byte) noexcept {
    struct flock lock = one_byte(F_UNLCK, byte);
    ::fcntl(fd, F_OFD_SETLK, &lock);
}

bool lock_is_held(int fd, std::uint64_t byte) noexcept {
    struct flock lock = one_byte(F_WRLCK, byte);
    // What can't be known is no evidence against its owner.
    return ::fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

}  // namespace swarmbus::core
