// An entry of the participant table, and what can be told of its process from outside.
#pragma once

#include <cstdint>

#include "src/segment/segment.hpp"

namespace swarmbus::core {

// A participant's state: generation:32 | status:32.
constexpr std::uint64_t participant_state(std::uint32_t generation, std::uint32_t status) noexcept {
    return std::uint64_t{generation} << 32 | status;
}
constexpr std::uint32_t status_of(std::uint64_t state) noexcept { return static_cast<std::uint32_t>(state); }
constexpr std::uint32_t generation_of(std::uint64_t state) noexcept { return static_cast<std::uint32_t>(state >> 32); }

enum class Condition {
    free,
    alive,     // it holds its lock
    left,      // it said that it writes no more
    lockless,  // its lock is free but nothing proves that it can't write: what may be done against the living
    gone,      // it can't write any more: everything it has may be handed on
};

// `entry`: a copy; the caller sees that it has not changed since. Asks the kernel. Never about the
// calling process's own entry: to the holder of a lock it looks free.
Condition condition_of(const BusFile& file, std::uint32_t index, const swb_l_participant& entry) noexcept;

}  // namespace swarmbus::core
