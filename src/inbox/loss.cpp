#include "src/inbox/loss.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace swarmbus::core {

std::uint64_t total(const Losses& losses) noexcept { return std::accumulate(losses.begin(), losses.end(), std::uint64_t{0}); }

Losses live_losses(const InboxReader& reader) noexcept {
    swb_l_inbox& inbox = *reader.ring().words;
    words::load_dropped(inbox);  // the causes were counted before the sum
    return {reader.evictions(),
            words::load_counter(inbox.dropped_full),
            words::load_counter(inbox.dropped_timeout),
            words::load_counter(inbox.dropped_self),
            words::load_counter(inbox.dropped_no_slot),
            0};
}

Losses LossLedger::before_event(const InboxReader& reader, std::uint64_t sum) noexcept {
    if (!has_news(sum)) return {};
    Losses live = live_losses(reader);
    live[static_cast<std::size_t>(LossCause::damaged)] = damaged();
    return tell(live, sum > told_of_inbox_ ? sum - told_of_inbox_ : 0);
}

std::uint64_t LossLedger::evicted_before(std::uint64_t evictions) noexcept {
    std::uint64_t& told = told_[static_cast<std::size_t>(LossCause::evicted)];
    if (evictions <= told) return 0;
    const std::uint64_t fresh = evictions - told;
    told = evictions;
    told_of_inbox_ += fresh;
    return fresh;
}

Losses LossLedger::untold(const InboxReader& reader) noexcept {
    Losses live = live_losses(reader);
    live[static_cast<std::size_t>(LossCause::damaged)] = damaged();
    return tell(live, std::numeric_limits<std::uint64_t>::max());
}

Losses LossLedger::tell(const Losses& live, std::uint64_t at_most) noexcept {
    Losses fresh{};
    for (std::size_t cause = 0; cause < kLossCauses; ++cause) {
        const std::uint64_t waiting = live[cause] > told_[cause] ? live[cause] - told_[cause] : 0;
        const bool counted_by_inbox = cause != static_cast<std::size_t>(LossCause::damaged);
        fresh[cause] = counted_by_inbox ? std::min(waiting, at_most) : waiting;
        if (counted_by_inbox) {
            at_most -= fresh[cause];
            told_of_inbox_ += fresh[cause];
        }
        told_[cause] += fresh[cause];
    }
    return fresh;
}

}  // namespace swarmbus::core
