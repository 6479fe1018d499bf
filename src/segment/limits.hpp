// How large a bus is: what can be chosen when it is created, and the offsets that follow.
#pragma once

#include <cstdint>

#include "src/segment/layout.h"

namespace swarmbus::core {

// 0 means: the default when creating, whatever the bus has when opening.
struct Limits {
    std::uint32_t max_participants = 0;
    std::uint32_t max_subscribers = 0;
    std::uint32_t max_types = 0;
    std::uint32_t slot_bytes = 0;
    std::uint32_t default_capacity = 0;
    std::uint64_t ring_bytes = 0;
    std::uint32_t strict = 0;  // 1: only types with a schema are published
};

inline constexpr Limits kDefaultLimits{1024, 1024, 4096, 256, 1024, std::uint64_t{4} << 30};
inline constexpr std::uint32_t kMinCapacity = 16;
inline constexpr std::uint32_t kMaxCapacity = 65536;

bool valid_capacity(std::uint32_t slots) noexcept;

// Bytes of the block of one inbox: patterns, claims, slots, to whole pages.
std::uint64_t block_bytes(std::uint32_t capacity, std::uint32_t slot_bytes) noexcept;

// Fills in defaults; throws SWB_ERR_ARGUMENT naming the limit that is out of range.
Limits complete(Limits asked);

// Every size and offset of a bus with these limits (layout_hash, boot id and times are left 0).
swb_l_header plan(const Limits& limits) noexcept;

// Hash of the layout's version and all offsets of a planned header. Never 0.
std::uint64_t layout_hash(const swb_l_header& header) noexcept;

Limits limits_of(const swb_l_header& header) noexcept;

}  // namespace swarmbus::core
