// Reaping: what the dead left becomes free for others. Whoever stalls on a peer, meets the full inbox
// of a dead one, attaches or wakes from an idle second does it, under the control lock. Every step may
// be done again: a reaper may itself be killed at any point.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/life/control_lock.hpp"
#include "src/life/participant.hpp"
#include "src/segment/segment.hpp"

namespace swarmbus::core {

// For a process that has no entry of its own (yet).
inline constexpr std::uint32_t kNoParticipant = ~std::uint32_t{0};

// Somebody who was found to be gone, or to have lost its lock.
struct Departed {
    std::uint32_t participant = 0;
    std::uint32_t pid = 0;
    std::uint64_t joined_ns = 0;
    bool expelled = false;  // its process lives on
    std::string name;
};

// Whether the locks show somebody to reap. Without the control lock. self: never judged by its own lock.
bool somebody_departed(Segment& segment, std::uint32_t self) noexcept;

// Settles the claims of the dead, frees their inboxes and writer ids and gives their places back; who
// lost its lock without proof of death keeps what it may still write to. Returns who is told to have
// died: each once, by the reaper that frees its place.
std::vector<Departed> reap(Segment& segment, ControlLock::Guard& guard, std::uint32_t self);

// The same for one participant that has LEFT, and nobody else.
void give_place_back(Segment& segment, ControlLock::Guard& guard, std::uint32_t participant);

}  // namespace swarmbus::core
