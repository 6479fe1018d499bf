// Waking the reader of an inbox, whichever way it rests.
#pragma once

#include <cstdint>

#include "src/segment/segment.hpp"
#include "src/words/waking_words.hpp"

namespace swarmbus::core {

[[gnu::cold]] void wake_resting_reader(Segment& segment, std::uint32_t inbox, std::uint32_t word) noexcept;

// By a publisher behind its commit fence, and by whoever reaps one. Costs a system call only if the
// reader rests.
inline void wake_reader(Segment& segment, std::uint32_t inbox, swb_l_inbox& lines) noexcept {
    const std::uint32_t word = words::load_wake(lines);
    if (words::reader_rests(word)) [[unlikely]]
        wake_resting_reader(segment, inbox, word);
}
inline void wake_reader(Segment& segment, std::uint32_t inbox) noexcept { wake_reader(segment, inbox, segment.inbox(inbox)); }

}  // namespace swarmbus::core
