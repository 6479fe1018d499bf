#include "src/waking/wake.hpp"

#include "src/waking/doorbell.hpp"
#include "src/waking/futex.hpp"
#include "src/words/inbox_words.hpp"

namespace swarmbus::core {

void wake_resting_reader(Segment& segment, std::uint32_t inbox, std::uint32_t word) noexcept {
    swb_l_inbox& lines = segment.inbox(inbox);
    if ((word & words::kModeMask) == words::kAsleep) {
        words::bump_wake(lines);
        futex_wake_all(lines.wake);
    } else {
        // In this order: one that dies in between, or can't ring, leaves the word as it is, and the next one rings too.
        if (ring_doorbell(segment, inbox, words::load_gate(lines).generation())) words::note_notified(lines, word);
    }
}

}  // namespace swarmbus::core
