#include "src/waking/doorbell.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "src/error.hpp"
#include "src/life/cancellation.hpp"
#include "src/segment/companion.hpp"

namespace swarmbus::core {
namespace {

int make_socket() noexcept { return ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

sockaddr_un address_of(const SocketPath& path) noexcept {
    sockaddr_un address{};
    static_assert(sizeof address.sun_path == sizeof path);
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

int bound_socket(const Segment& segment, const SocketPath& path) {
    make_companion_directory(segment);
    const int fd = make_socket();
    if (fd < 0) return fd;
    const sockaddr_un address = address_of(path);
    ::unlink(path.data());  // no name comes twice, unless somebody put it there
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const int error = errno;
        ::close(fd);
        errno = error;
        return -1;
    }
    try {
        share_like_bus(segment, path.data(), false);
    } catch (const Error&) {
        ::close(fd);
        ::unlink(path.data());
        throw;
    }
    return fd;
}

void add(int set, int member) {
    epoll_event event{};
    event.events = EPOLLIN;
    if (::epoll_ctl(set, EPOLL_CTL_ADD, member, &event) != 0) {
        throw system_error(SWB_ERR_SYSTEM, "making a pollable descriptor (epoll_ctl)", errno);
    }
}

}  // namespace

void ring_doorbell(const Segment& segment, std::uint32_t inbox, std::uint64_t gate_generation) noexcept {
    const HoldCancellation hold;
    // A socket for each ring: a process that publishes keeps no descriptor for it, which its host might
    // close or a child inherit.
    const int fd = make_socket();
    if (fd < 0) return;  // out of descriptors: the reader's timer is the last net
    const sockaddr_un address = address_of(wake_socket_path(segment, inbox, gate_generation));
    const char byte = 0;
    ::sendto(fd, &byte, sizeof byte, MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::close(fd);
}

void remove_doorbell(const Segment& segment, std::uint32_t inbox, std::uint64_t gate_generation) noexcept {
    ::unlink(wake_socket_path(segment, inbox, gate_generation).data());
}

OwnDescriptor::OwnDescriptor(int fd, const char* what) : fd_(fd) {
    if (fd >= 0 && fd < 3) {
        fd_ = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
        const int error = errno;
        ::close(fd);
        errno = error;
    }
    struct stat st {};
    if (fd_ < 0 || ::fstat(fd_, &st) != 0)
        throw system_error(SWB_ERR_SYSTEM, std::string("making a pollable descriptor (") + what + ")", errno);
    device_ = st.st_dev;
    inode_ = st.st_ino;
}

OwnDescriptor::~OwnDescriptor() {
    if (const int fd = get(); fd >= 0) ::close(fd);
}

int OwnDescriptor::get() const noexcept {
    struct stat st {};
    return ::fstat(fd_, &st) == 0 && st.st_dev == device_ && st.st_ino == inode_ ? fd_ : -1;
}

Doorbell::Doorbell(Segment& segment, std::uint32_t inbox, std::uint64_t gate_generation)
    : segment_(segment),
      inbox_(inbox),
      generation_(gate_generation),
      socket_(bound_socket(segment, wake_socket_path(segment, inbox, gate_generation)), "socket"),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd_create"),
      set_(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1") {
    add(set_.get(), socket_.get());
    add(set_.get(), timer_.get());
    ring();
}

// A forked child closes its copies, which leaves the parent's as they are.
Doorbell::~Doorbell() {
    if (fork_guard_.same_process()) remove_doorbell(segment_, inbox_, generation_);
}

void Doorbell::be_silent_for(std::uint64_t duration_ns) noexcept {
    const HoldCancellation hold;
    if (const int timer = timer_.get(); timer >= 0) {
        const itimerspec once{{0, 0}, {static_cast<time_t>(duration_ns / 1'000'000'000), static_cast<long>(duration_ns % 1'000'000'000)}};
        ::timerfd_settime(timer, 0, &once, nullptr);  // also takes back that it has expired
    }
    char bytes[8];
    if (const int socket = socket_.get(); socket >= 0) {
        while (::recv(socket, bytes, sizeof bytes, MSG_DONTWAIT) >= 0) {}
    }
}

}  // namespace swarmbus::core
