// A descriptor that becomes readable when an inbox has something for its reader: for event loops.
//
// An epoll set of a datagram socket, which publishers send a byte to, and of a timer, the last net for
// one that dies between its commit and that byte. The set is level-triggered: it stays readable until
// the reader has found nothing, drained it and announced that it waits.
#pragma once

#include <cstdint>
#include <sys/types.h>

#include "src/life/fork_guard.hpp"
#include "src/segment/companion.hpp"
#include "src/segment/segment.hpp"

namespace swarmbus::core {

// Sends the byte. False: it did not get there, and somebody else may have to.
bool ring_doorbell(const Segment& segment, std::uint32_t inbox, std::uint64_t gate_generation) noexcept;
// Removes the socket of a reader that is gone.
void remove_doorbell(const Segment& segment, std::uint32_t inbox, std::uint64_t gate_generation) noexcept;

class Doorbell {
public:
    // Readable at first, so that its user looks once. Throws SWB_ERR_SYSTEM.
    Doorbell(Segment& segment, std::uint32_t inbox, std::uint64_t gate_generation, const ForkGuard& process);
    ~Doorbell();
    Doorbell(const Doorbell&) = delete;
    Doorbell& operator=(const Doorbell&) = delete;

    // -1: the host, who does not know it, has closed it or what it is made of; it takes a new doorbell then.
    int descriptor() const noexcept { return timer() >= 0 ? set_ : -1; }
    void ring() noexcept { ring_doorbell(segment_, inbox_, generation_); }
    // Not readable any more, until somebody rings or that time has passed. Before the reader announces.
    void be_silent_for(std::uint64_t duration_ns) noexcept;

private:
    void make(const SocketPath& path);
    void close() noexcept;
    // What is still ours of the three, or -1: a number may have come back for a descriptor of the host's. A socket
    // has an inode of its own; the set is the one that this socket is in, the timer the one in that set.
    int socket() const noexcept;
    int set() const noexcept;
    int timer() const noexcept;

    Segment& segment_;
    const std::uint32_t inbox_;
    const std::uint64_t generation_;
    const ForkGuard fork_guard_;
    int socket_ = -1, set_ = -1, timer_ = -1;
    dev_t socket_device_ = 0;
    ino_t socket_inode_ = 0;
};

}  // namespace swarmbus::core
