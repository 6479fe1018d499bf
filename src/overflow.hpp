// What happens to an event for which an inbox has no room, and the causes of loss.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace swarmbus::core {

enum class Overflow : std::uint8_t {
    drop_oldest = 0,
    drop_newest = 1,
    block = 2,
};

enum class LossCause : std::uint8_t {
    evicted = 0,  // the oldest event made room (drop_oldest)
    full = 1,     // no room (drop_newest; drop_oldest with an unfinished oldest event)
    timeout = 2,  // no room within the publisher's deadline (block)
    self = 3,     // the publisher itself holds the full inbox up (block)
    no_slot = 4,  // every slot set aside or held by the reader
    damaged = 5,  // the slot could not be read
};
inline constexpr std::size_t kLossCauses = 6;
using Losses = std::array<std::uint64_t, kLossCauses>;

}  // namespace swarmbus::core
