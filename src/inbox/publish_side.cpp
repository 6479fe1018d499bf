#include "src/inbox/publish_side.hpp"

#include <algorithm>

namespace swarmbus::core {
namespace {

// Looks that a claim loop takes before it gives up on an inbox whose words make no sense (damaged,
// or moving faster than we can follow). Sound states end within a few laps.
constexpr std::uint32_t kLooksPerSlot = 64;

// Head first: a hold that begins later begins at or after the head read here.
void read_head_and_holding(Target& target) noexcept {
    target.head = words::load_head(*target.ring.words);
    target.holding = words::load_holding(*target.ring.words);
}

enum class Eviction { moved, nothing_to_evict };

// Makes room in a drop_oldest inbox whose head stands at target.head.
Eviction evict_oldest(Target& target, DeathEvidence& evidence) noexcept {
    const Ring& ring = target.ring;
    swb_l_inbox& inbox = *ring.words;
    const Head head = target.head;
    const Position h = head.at();
    const Position lap = ring.lap(h);
    std::uint64_t& claim_word = ring.claim(h);
    std::uint64_t& state_word = ring.state(h);

    const State state = words::load_state(state_word);
    if (state.ready_at(lap)) {
        const Claim claim = words::load_claim(claim_word);
        if (claim.lap() == lap && claim.mark() == Mark::doubt) {
            // It is ready: settle the doubt, or the reader would take away what we count as evicted.
            words::replace_claim(claim_word, claim, Claim::of(lap, claim.writer(), Mark::owned));
        } else if (claim.lap() == lap && claim.mark() == Mark::revoked) {
            words::advance_head(inbox, head, head.passed(1));
        } else if (words::load_state(state_word).ready_at(lap)) {
            // Looked at once more behind the claim: a writer whose position was taken away may have
            // given the slot back in between, and then nothing is lost.
            if (words::advance_head(inbox, head, head.evicted_one())) words::count_eviction(inbox);
        }
        return Eviction::moved;
    }
    if (state.skip_at(lap)) {
        words::advance_head(inbox, head, head.passed(1));
        return Eviction::moved;
    }
    if (distance(state.lap(), lap) > 0) return Eviction::moved;  // the head we know is old

    const Claim claim = words::load_claim(claim_word);
    if (claim.lap() == lap && claim.mark() == Mark::revoked) {
        words::advance_head(inbox, head, head.passed(1));
        return Eviction::moved;
    }
    if (claim.lap() == lap && evidence.proven_dead(claim.writer())) {
        // Its last store may have been the commit: state is read behind the evidence.
        if (distance(words::load_state(state_word).lap(), lap) < 0) words::advance_head(inbox, head, head.passed(1));
        return Eviction::moved;
    }
    // Unfinished, or moved on since we looked: only the former has nothing to evict.
    return words::load_head(inbox) == head && words::load_state(state_word) == state ? Eviction::nothing_to_evict : Eviction::moved;
}

}  // namespace

Claimed claim_past_obstacles(Target& target, std::uint64_t writer, DeathEvidence& evidence) noexcept {
    const Ring& ring = target.ring;
    swb_l_inbox& inbox = *ring.words;
    const std::uint32_t capacity = ring.capacity;
    Position p = words::load_hint(inbox);
    std::uint32_t passed = 0;  // set-aside or held slots
    for (std::uint64_t looks = std::uint64_t{capacity} * kLooksPerSlot; looks > 0; --looks) {
        if (passed > capacity) return {ClaimResult::no_slot};
        std::uint64_t& word = ring.claim(p);
        const Position lap = ring.lap(p);
        const Claim seen = words::load_claim(word);
        if (seen.lap() == lap) {  // somebody has it
            p = position(p + 1);
            continue;
        }
        if (distance(seen.lap(), lap) > 0) {  // we are a lap behind
            const Position hint = words::load_hint(inbox);
            const Position head = words::load_head(inbox).at();
            p = distance(hint, head) > 0 ? hint : head;
            continue;
        }
        if (seen.lap() != ring.lap_before(p)) {
            p = words::load_hint(inbox);
            continue;
        }
        // Free for p once head is past the position a lap before.
        const Position before = position(p - capacity);
        if (distance(target.head.at(), before) <= 0) {
            read_head_and_holding(target);
            if (distance(target.head.at(), before) <= 0) {
                if (target.policy != Overflow::drop_oldest) return {ClaimResult::full, p};
                if (evict_oldest(target, evidence) == Eviction::nothing_to_evict) return {ClaimResult::full, p};
                continue;
            }
        }
        if (seen.mark() == Mark::revoked) {
            // Its stalled writer may still write into the slot: the position passes with the mark on.
            if (words::replace_claim(word, seen, Claim::of(lap, seen.writer(), Mark::revoked))) {
                p = position(p + 1);
                words::store_hint(inbox, p);
                ++passed;
            }
            continue;
        }
        if (target.holding.covers(p, capacity)) {
            read_head_and_holding(target);
            if (target.holding.covers(p, capacity)) {
                // The reader still looks at the event in this slot: pass it, payload untouched.
                if (words::replace_claim(word, seen, Claim::of(lap, writer, Mark::owned))) {
                    words::store_state(ring.state(p), State::of(lap, Status::skip));
                    full_fence();
                    settle(ring, p, writer);
                    p = position(p + 1);
                    words::store_hint(inbox, p);
                    ++passed;
                }
                continue;
            }
        }
        // Also replaces a DOUBT left on a position that was passed since.
        if (words::replace_claim(word, seen, Claim::of(lap, writer, Mark::owned))) {
            words::store_hint(inbox, position(p + 1));
            return {ClaimResult::claimed, p};
        }
    }
    return {ClaimResult::no_slot};
}

bool evict(Target& target, DeathEvidence& evidence) noexcept {
    read_head_and_holding(target);
    const bool empty = distance(words::load_hint(*target.ring.words), target.head.at()) <= 0;
    return !empty && evict_oldest(target, evidence) == Eviction::moved;
}

bool settle_suspected(const Ring& ring, Position at, std::uint64_t writer) noexcept {
    std::uint64_t& word = ring.claim(at);
    const Position lap = ring.lap(at);
    Claim claim = words::load_claim(word);
    for (;;) {
        if (claim.is(lap, writer, Mark::doubt)) {
            words::replace_claim(word, claim, Claim::of(lap, writer, Mark::owned));
        } else if (claim.writer() == writer && claim.mark() == Mark::revoked) {
            // Taken away at this position or, carried on, at a later one. Give the slot back there.
            words::store_state(ring.state(at), State::of(claim.lap(), Status::skip));
            if (words::replace_claim(word, claim, Claim::of(claim.lap(), writer, Mark::owned))) return false;
        } else {
            return true;
        }
        claim = words::load_claim(word);
    }
}

}  // namespace swarmbus::core
