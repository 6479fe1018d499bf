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
#include <string>

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

// Moved to 3 or above: the others belong to the host. Throws also if there is none, `what` saying what for.
int above_standard_streams(int fd, const char* what) {
    int moved = fd;
    if (fd >= 0 && fd < 3) {
        moved = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
        const int error = errno;
        ::close(fd);
        errno = error;
    }
    if (moved < 0) throw system_error(SWB_ERR_SYSTEM, std::string("making a pollable descriptor (") + what + ")", errno);
    return moved;
}

void bind(int socket, const SocketPath& path) {
    const sockaddr_un address = address_of(path);
    ::unlink(path.data());  // no name comes twice, unless somebody put it there
    if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw system_error(SWB_ERR_SYSTEM, std::string("making a pollable descriptor (bind ") + path.data() + ")", errno);
    }
}

bool control(int set, int operation, int member) noexcept {
    epoll_event event{};
    event.events = EPOLLIN;
    return ::epoll_ctl(set, operation, member, &event) == 0;
}

void add(int set, int member) {
    if (!control(set, EPOLL_CTL_ADD, member)) throw system_error(SWB_ERR_SYSTEM, "making a pollable descriptor (epoll_ctl)", errno);
}

}  // namespace

bool ring_doorbell(const Segment& segment, std::uint32_t inbox, std::uint64_t gate_generation) noexcept {
    const HoldCancellation hold;
    // A socket for each ring: a process that publishes keeps no descriptor for it, which its host might
    // close or a child inherit.
    const int fd = make_socket();
    if (fd < 0) return false;  // out of descriptors
    const sockaddr_un address = address_of(wake_socket_path(segment, inbox, gate_generation));
    const char byte = 0;
    const bool sent = ::sendto(fd, &byte, sizeof byte, MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), sizeof address) >= 0;
    const int error = sent ? 0 : errno;
    ::close(fd);
    return sent || error == EAGAIN || error == ECONNREFUSED;  // as many are there as it holds; nobody listens any more
}

void remove_doorbell(const Segment& segment, std::uint32_t inbox, std::uint64_t gate_generation) noexcept {
    ::unlink(wake_socket_path(segment, inbox, gate_generation).data());
}

Doorbell::Doorbell(Segment& segment, std::uint32_t inbox, std::uint64_t gate_generation, const ForkGuard& process)
    : segment_(segment), inbox_(inbox), generation_(gate_generation), fork_guard_(process) {
    make_companion_directory(segment);
    const SocketPath path = wake_socket_path(segment, inbox, gate_generation);
    try {
        make(path);
    } catch (const Error&) {
        close();
        ::unlink(path.data());
        throw;
    }
    ring();
}

void Doorbell::make(const SocketPath& path) {
    socket_ = above_standard_streams(make_socket(), "socket");
    struct stat st {};
    if (::fstat(socket_, &st) != 0) throw system_error(SWB_ERR_SYSTEM, "making a pollable descriptor (fstat)", errno);
    socket_device_ = st.st_dev;
    socket_inode_ = st.st_ino;
    bind(socket_, path);
    share_like_bus(segment_, path.data(), false);
    set_ = above_standard_streams(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    add(set_, socket_);
    timer_ = above_standard_streams(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd_create");
    add(set_, timer_);
}

// A forked child closes its copies, which leaves the parent's as they are.
Doorbell::~Doorbell() {
    if (fork_guard_.same_process()) remove_doorbell(segment_, inbox_, generation_);
    close();
}

void Doorbell::close() noexcept {
    // Each while what tells it from the host's is there.
    for (const int fd : {timer(), set(), socket()}) {
        if (fd >= 0) ::close(fd);
    }
}

int Doorbell::socket() const noexcept {
    struct stat st {};
    return socket_ >= 0 && ::fstat(socket_, &st) == 0 && st.st_dev == socket_device_ && st.st_ino == socket_inode_ ? socket_ : -1;
}

int Doorbell::set() const noexcept { return set_ >= 0 && socket() >= 0 && control(set_, EPOLL_CTL_MOD, socket_) ? set_ : -1; }

int Doorbell::timer() const noexcept { return timer_ >= 0 && set() >= 0 && control(set_, EPOLL_CTL_MOD, timer_) ? timer_ : -1; }

void Doorbell::be_silent_for(std::uint64_t duration_ns) noexcept {
    const HoldCancellation hold;
    if (const int timer = this->timer(); timer >= 0) {
        const itimerspec once{{0, 0}, {static_cast<time_t>(duration_ns / 1'000'000'000), static_cast<long>(duration_ns % 1'000'000'000)}};
        ::timerfd_settime(timer, 0, &once, nullptr);  // also takes back that it has expired
    }
    char bytes[8];
    if (const int socket = this->socket(); socket >= 0) {
        while (::recv(socket, bytes, sizeof bytes, MSG_DONTWAIT) >= 0) {}
    }
}

}  // namespace swarmbus::core
