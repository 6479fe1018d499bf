// Open-file-description locks on single bytes of the segment file: the kernel drops them when
// their owner dies, across PID namespaces and without reuse of numbers.
#pragma once

#include <cstdint>

namespace swarmbus::core {

// Takes byte `byte` of the open file description behind fd. False: another description has it.
// Throws SWB_ERR_SYSTEM for any other failure.
bool try_lock(int fd, std::uint64_t byte);
void unlock(int fd, std::uint64_t byte) noexcept;

// Whether a description other than fd's own holds the byte.
bool lock_is_held(int fd, std::uint64_t byte) noexcept;

}  // namespace swarmbus::core
