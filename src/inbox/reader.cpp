#include "src/inbox/reader.hpp"

#include <algorithm>

#include "src/waking/futex.hpp"
#include "src/words/waking_words.hpp"

namespace swarmbus::core {

InboxReader::InboxReader(const Ring& ring, Overflow policy, std::uint64_t stall_timeout_ns) noexcept
    : ring_(ring), policy_(policy), stall_timeout_ns_(stall_timeout_ns) {}

std::uint32_t InboxReader::count_ready(Position first, std::uint32_t max) const noexcept {
    std::uint32_t n = 1;
    while (n < max) {
        const Position p = position(first + n);
        if (!words::load_state(ring_.state(p)).ready_at(ring_.lap(p))) break;
        ++n;
    }
    return n;
}

InboxReader::Taken InboxReader::take(std::uint32_t max) noexcept {
    max = std::min(max, ring_.capacity / 2);
    if (policy_ != Overflow::drop_oldest) release();
    swb_l_inbox& inbox = *ring_.words;
    for (std::uint32_t patience = ring_.capacity;;) {
        const Head head = words::load_head(inbox);
        const Position h = head.at();
        const Position lap = ring_.lap(h);
        const State state = words::load_state(ring_.state(h));
        if (state.ready_at(lap)) {
            const Taken found{h, count_ready(h, max)};
            if (policy_ == Overflow::drop_oldest) {
                // Replaces what was held before, and is visible before head passes what it covers.
                words::store_holding(inbox, Holding::of(h, static_cast<std::uint16_t>(found.count)));
                taken_ = {};
                if (!words::advance_head(inbox, head, head.passed(found.count))) {
                    words::store_holding(inbox, Holding{});
                    continue;  // evicted meanwhile: not ours
                }
                if (head.evicted() != static_cast<std::uint16_t>(evictions_before_taken_)) [[unlikely]] {
                    const std::uint64_t now = evictions();  // perhaps some more, that came after
                    evictions_before_taken_ = now - static_cast<std::uint16_t>(static_cast<std::uint16_t>(now) - head.evicted());
                }
            }
            taken_ = found;
            return found;
        }
        if (state.skip_at(lap)) {
            pass(head);
            continue;
        }
        if (distance(state.lap(), lap) >= 0) {
            // Nobody can have written a lap ahead of head, or a state of this lap that is neither.
            if (!(words::load_head(inbox) == head)) continue;  // it moved between the two loads
            mend(head, state);
            if (--patience > 0) continue;
        }
        release();
        return {};
    }
}

void InboxReader::release() noexcept {
    if (taken_.count == 0) return;
    swb_l_inbox& inbox = *ring_.words;
    if (policy_ == Overflow::drop_oldest) {
        words::store_holding(inbox, Holding{});
    } else {
        pass(words::load_head(inbox).passed(taken_.count - 1));
    }
    taken_ = {};
}

// Moves head over one position beyond `head`'s own. In a drop_oldest inbox evictors move it too.
void InboxReader::pass(Head head) noexcept { move_head(head, head.passed(1)); }

void InboxReader::move_head(Head from, Head to) noexcept {
    swb_l_inbox& inbox = *ring_.words;
    if (policy_ == Overflow::drop_oldest) {
        words::advance_head(inbox, from, to);
        return;
    }
    words::store_head(inbox, to);
    if (policy_ == Overflow::block) {
        full_fence();
        if (words::take_waiters(inbox)) futex_wake_all(inbox.room);
    }
}

// A state at head that nobody can have written. Where the position is claimed an event is lost with
// it. Where it is not, nothing was written yet: the state becomes that of a lap before, and head stays,
// or it would run past what publishers are going to write.
void InboxReader::mend(Head head, State state) noexcept {
    const Position h = head.at();
    if (distance(words::load_claim(ring_.claim(h)).lap(), ring_.lap(h)) >= 0) return pass_damaged(head);
    words::replace_state(ring_.state(h), state, State::of(ring_.lap_before(h), Status::skip));
}

void InboxReader::pass_damaged(Head head) noexcept {
    ++damaged_positions_;
    // A head more than a lap behind what is claimed is itself the damage: one step at a time would
    // take for ever.
    const Position hint = words::load_hint(*ring_.words);
    const bool lost = distance(hint, head.at()) > static_cast<std::int64_t>(ring_.capacity);
    move_head(head, lost ? Head::of(position(hint), head.evicted()) : head.passed(1));
}

InboxReader::Behind InboxReader::look_behind(std::uint64_t now_ns, WriterLiveness& liveness, std::uint64_t& remaining_ns) noexcept {
    const Head head = words::load_head(*ring_.words);
    const Position h = head.at();
    const Position lap = ring_.lap(h);
    const Claim claim = words::load_claim_after_fence(ring_.claim(h));
    if (claim.lap() != lap) {
        if (!(words::load_head(*ring_.words) == head)) return Behind::passed;
        if (distance(claim.lap(), lap) < 0) return Behind::empty;
        pass_damaged(head);  // nobody can have claimed a lap ahead of head
        return Behind::passed;
    }
    if (distance(words::load_state(ring_.state(h)).lap(), lap) >= 0) return Behind::passed;
    if (claim.mark() == Mark::revoked) {
        pass(head);
        return Behind::passed;
    }
    if (claim.mark() != Mark::owned && claim.mark() != Mark::doubt) {
        pass_damaged(head);
        return Behind::passed;
    }
    if (h != stalled_at_ || !(claim == stalled_claim_)) {
        stalled_at_ = h;
        stalled_claim_ = claim;
        stalled_since_ns_ = now_ns;
    }
    const std::uint64_t waited = now_ns - stalled_since_ns_;
    if (waited < stall_timeout_ns_ && !suspected_.test(claim.writer()) && !liveness.looks_dead(claim.writer())) {
        remaining_ns = stall_timeout_ns_ - waited;
        return Behind::writing;
    }
    suspect(head, claim);
    return Behind::passed;
}

// DOUBT, a second look, then REVOKED: only the last CAS takes the position away, and then it is
// passed at once, even if it turns ready now. True if it was taken away.
bool InboxReader::suspect(Head head, Claim claim) noexcept {
    const Position h = head.at();
    const Position lap = ring_.lap(h);
    std::uint64_t& word = ring_.claim(h);
    const Claim doubt = Claim::of(lap, claim.writer(), Mark::doubt);
    if (claim.mark() == Mark::owned) {
        if (!words::mark_doubt(word, claim, doubt)) return false;
    } else {
        full_fence();  // a doubt left by an owner of this inbox before
    }
    const State state = words::load_state(ring_.state(h));
    if (state.lap() == lap) {  // READY or SKIP: it had finished after all
        words::replace_claim(word, doubt, Claim::of(lap, claim.writer(), Mark::owned));
        return false;
    }
    if (!words::replace_claim(word, doubt, Claim::of(lap, claim.writer(), Mark::revoked))) return false;
    suspected_.set(claim.writer());
    any_suspected_ = true;
    pass(head);
    return true;
}

std::uint64_t InboxReader::evictions() const noexcept {
    // The nearest value to the approximate count whose low 16 bits are head's.
    constexpr std::uint64_t kCloseTogether = 1 << 14;
    std::uint16_t exact = 0;
    std::uint64_t before = 0, about = words::load_counter(ring_.words->evictions);
    do {  // again if we were stopped in between for so long that the nearest value is not the right one
        before = about;
        exact = words::load_head(*ring_.words).evicted();
        about = words::load_counter(ring_.words->evictions);
    } while (about - before >= kCloseTogether);
    return exact_evictions(about, exact);
}

std::uint64_t InboxReader::exact_evictions(std::uint64_t about, std::uint16_t low) noexcept {
    const auto difference = static_cast<std::int16_t>(static_cast<std::uint16_t>(low - static_cast<std::uint16_t>(about)));
    if (difference < 0 && about < static_cast<std::uint64_t>(-difference)) return 0;
    return about + static_cast<std::uint64_t>(static_cast<std::int64_t>(difference));
}

}  // namespace swarmbus::core
