// Memory of files in /dev/shm: taken before it is written to, so that no SIGBUS comes later, and
// given back when it is free.
#pragma once

#include <cstdint>
#include <string>

#include "src/error.hpp"

namespace swarmbus::core {

// fallocate() in pieces: each is short enough to finish between two signals. Returns errno, or 0.
int allocate_memory(int fd, std::uint64_t at, std::uint64_t bytes) noexcept;
// Back to the system; reads as zeros from then on.
void give_memory_back(int fd, std::uint64_t at, std::uint64_t bytes) noexcept;

// SWB_ERR_NO_SPACE that says how much `what` needs and how much there is. fd: of a file there.
Error no_space(int fd, std::uint64_t needed, const std::string& what, int error_number);

std::string mebibytes(std::uint64_t bytes);

}  // namespace swarmbus::core
