// A descriptor that becomes readable when an inbox has something for its reader: for event loops.
//
// An epoll set of a datagram socket, which publishers send a byte to, and of a timer, the last net for
// one that dies between its commit and that byte. The set is level-triggered: it stays readable until
// the reader has found nothing, drained it and announced that it waits.
#pragma once

#include <cstdint>
#include <string>
#include <sys/types.h>

#include "src/life/fork_guard.hpp"
#include "src/segment/segment.hpp"

namespace swarmbus::core {

// Sends the byte; nothing happens when nobody listens there.
void ring_doorbell(const Segment& segment, std::uint32_t inbox, std::uint64_t gate_generation) noexcept;
// Removes the socket of a reader that is gone.
void remove_doorbell(const Segment& segment, std::uint32_t inbox, std::uint64_t gate_generation) noexcept;

// One of a process's own descriptors, which a host that does not know it may close.
class OwnDescriptor {
public:
    // Takes over fd, moved to 3 or above. Throws SWB_ERR_SYSTEM, `what` saying what for, also if fd is -1.
    OwnDescriptor(int fd, const char* what);
    ~OwnDescriptor();
    OwnDescriptor(const OwnDescriptor&) = delete;
    OwnDescriptor& operator=(const OwnDescriptor&) = delete;
    // -1 when it is not what it was any more.
    int get() const noexcept;

private:
    int fd_ = -1;
    dev_t device_ = 0;
    ino_t inode_ = 0;
};

class Doorbell {
public:
    // Readable at first, so that its user looks once. Throws SWB_ERR_SYSTEM.
    Doorbell(Segment& segment, std::uint32_t inbox, std::uint64_t gate_generation);
    ~Doorbell();
    Doorbell(const Doorbell&) = delete;
    Doorbell& operator=(const Doorbell&) = delete;

    int descriptor() const noexcept { return set_.get(); }
    void ring() noexcept { ring_doorbell(segment_, inbox_, generation_); }
    // Not readable any more, until somebody rings or that time has passed. Before the reader announces.
    void be_silent_for(std::uint64_t duration_ns) noexcept;

private:
    Segment& segment_;
    const std::uint32_t inbox_;
    const std::uint64_t generation_;
    const ForkGuard fork_guard_;
    OwnDescriptor socket_, timer_, set_;
};

}  // namespace swarmbus::core
