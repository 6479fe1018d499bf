// Memory of files in /dev/shm: taken before it is written to, so that no SIGBUS comes later, and
// given back when it is free.
#pragma once

#include <cstdint>
#include <string>

#include "src/error.hpp"
#include "src/segment/layout.h"

namespace swarmbus::core {

constexpr std::uint64_t to_pages(std::uint64_t bytes) noexcept { return (bytes + SWB_PAGE - 1) / SWB_PAGE * SWB_PAGE; }

// fallocate() in pieces: each is short enough to finish between two signals. Returns errno, or 0.
int allocate_memory(int fd, std::uint64_t at, std::uint64_t bytes) noexcept;
// Back to the system; reads as zeros from then on.
void give_memory_back(int fd, std::uint64_t at, std::uint64_t bytes) noexcept;

// SWB_ERR_NO_SPACE that says how much `what` needs and how much there is. fd: of a file there.
Error no_space(int fd, std::uint64_t needed, const std::string& what, int error_number);

std::string mebibytes(std::uint64_t bytes);

}  // namespace swarmbus::core
