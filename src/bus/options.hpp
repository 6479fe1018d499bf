// How a handle was opened, with every default filled in.
#pragma once

#include <string>

#include "capi/swarmbus.h"
#include "src/overflow.hpp"
#include "src/segment/segment.hpp"

namespace swarmbus::core {

struct Options {
    std::string source;
    OpenMode open_mode = OpenMode::open_or_create;
    mode_t permissions = 0600;
    std::uint32_t capacity = 0;  // 0: the bus's default
    Overflow overflow = Overflow::drop_oldest;
    std::uint64_t block_timeout_ns = 100'000'000;
    std::uint64_t spin_ns = 5'000;  // UINT64_MAX: never sleep
    std::uint64_t stall_timeout_ns = 50'000'000;
    std::uint64_t arena_bytes = 0;  // 0: not asked for
    bool reattach = false;
    bool verify = false;  // FlatBuffers before they are published
    Limits limits;
};

// Checks and completes what a caller gave; NULL gives the defaults. Throws SWB_ERR_ARGUMENT.
Options read_options(const swb_options* given);

}  // namespace swarmbus::core
