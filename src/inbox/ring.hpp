// One inbox as this process sees it: its words, its claims, its slots.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "src/words/inbox_words.hpp"

namespace swarmbus::core {

struct Ring {
    swb_l_inbox* words = nullptr;
    std::uint64_t* claims = nullptr;
    std::byte* slots = nullptr;
    std::uint32_t capacity = 0;
    std::uint32_t slot_bytes = 0;

    static Ring in_block(swb_l_inbox& words, std::byte* block, std::uint32_t capacity, std::uint32_t slot_bytes) noexcept {
        auto* claims = reinterpret_cast<std::uint64_t*>(block + SWB_PATTERN_AREA_BYTES);
        return {&words, claims, reinterpret_cast<std::byte*>(claims + capacity), capacity, slot_bytes};
    }

    std::uint32_t index(Position p) const noexcept { return static_cast<std::uint32_t>(p) & (capacity - 1); }
    Position lap(Position p) const noexcept { return position(p) & ~Position{capacity - 1}; }
    Position lap_before(Position p) const noexcept { return position(lap(p) - capacity); }
    std::uint64_t& claim(Position p) const noexcept { return claims[index(p)]; }
    std::byte* slot(Position p) const noexcept { return slots + std::size_t{index(p)} * slot_bytes; }
    std::uint64_t& state(Position p) const noexcept { return *reinterpret_cast<std::uint64_t*>(slot(p)); }
};

}  // namespace swarmbus::core
