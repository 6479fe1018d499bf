// Telling processes apart, and telling that one is gone.
#pragma once

#include <cstdint>
#include <sys/types.h>

namespace swarmbus::core {

struct ProcessIdentity {
    std::uint32_t pid = 0;
    std::uint64_t start_ticks = 0;
    std::uint64_t pid_namespace = 0;
};

ProcessIdentity own_identity() noexcept;

// The kernel's id of the calling thread, asked for once a thread.
std::uint32_t this_thread() noexcept;

// Whether pids of that process mean anything to us.
bool in_our_namespace(const ProcessIdentity& identity) noexcept;
bool pid_is_unused(std::uint32_t pid) noexcept;

// False only with proof that the process has no mapping of that file.
bool process_maps_file(std::uint32_t pid, dev_t device, ino_t inode) noexcept;

// Stopped by a signal or a debugger. False when that can't be known. The second: whoever has that pid.
bool process_is_stopped(const ProcessIdentity& identity) noexcept;
bool pid_is_stopped(std::uint32_t pid) noexcept;

// True only with proof that no thread of that process can run any more: it is of our PID namespace,
// and no process has that pid with that start time, or every one of its threads is exiting.
bool process_is_gone(const ProcessIdentity& identity) noexcept;

}  // namespace swarmbus::core
