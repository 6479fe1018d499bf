#include "src/inbox/settle_dead.hpp"

namespace swarmbus::core {
namespace {

// Looks at one slot before it is left as it is. Sound words are settled within a few.
constexpr int kMostLooks = 64;

// State is read before the claim. Its lap equal to the claim's: written, or passed over.
bool settled(State state, Claim claim) noexcept { return claim.mark() == Mark::owned && state.lap() == claim.lap(); }

void settle_slot(const Ring& ring, std::uint32_t slot, std::uint32_t writer) noexcept {
    for (int looks = 0; looks < kMostLooks; ++looks) {
        const State state = words::load_state(ring.state(slot));
        const Claim claim = words::load_claim_after_fence(ring.claim(slot));
        if (claim.writer() != writer || settled(state, claim)) return;
        const bool written = state.lap() == claim.lap();
        if ((written && claim.mark() == Mark::doubt) || (written && claim.mark() == Mark::revoked && state.status() == Status::skip)) {
            words::replace_claim(ring.claim(slot), claim, Claim::of(claim.lap(), writer, Mark::owned));
        } else {
            words::skip_for_dead(ring.state(slot), state, State::of(claim.lap(), Status::skip));
        }
        full_fence();  // the claim is looked at again behind the SKIP, as its writer would have done
    }
}

}  // namespace

void settle_dead(const Ring& ring, std::uint32_t writer) noexcept {
    for (std::uint32_t slot = 0; slot < ring.capacity; ++slot) settle_slot(ring, slot, writer);
}

std::uint32_t count_unsettled(const Ring& ring, std::uint32_t writer) noexcept {
    std::uint32_t count = 0;
    for (std::uint32_t slot = 0; slot < ring.capacity; ++slot) {
        const State state = words::load_state(ring.state(slot));
        const Claim claim = words::load_claim(ring.claim(slot));
        if (claim.writer() == writer && !settled(state, claim)) ++count;
    }
    return count;
}

}  // namespace swarmbus::core
