// What an inbox's reader has told its caller about lost events, and what it still has to.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "src/inbox/reader.hpp"
#include "src/overflow.hpp"

namespace swarmbus::core {

class LossLedger {
public:
    // Whether an event that carries the inbox's sum of drops (0: none) has losses before it.
    bool has_news(std::uint64_t sum) const noexcept { return sum > told_of_inbox_ || damaged() != told_damaged(); }
    // Those losses: max(0, sum - told so far), with causes from the live counters up to that sum.
    [[gnu::noinline]] Losses before_event(const InboxReader& reader, std::uint64_t sum) noexcept;
    // Evictions up to that count that were not told yet. Whatever was evicted lies before head: all of
    // it comes before the first event of a take, not piece by piece as slots were claimed.
    std::uint64_t evicted_before(std::uint64_t evictions) noexcept;
    // Losses that no event told of. Reads lines that publishers write: not for every poll.
    Losses untold(const InboxReader& reader) noexcept;
    // A slot that could not be read.
    void add_damaged() noexcept { damaged_.store(damaged() + 1, std::memory_order_relaxed); }
    // By any thread.
    std::uint64_t damaged() const noexcept { return damaged_.load(std::memory_order_relaxed); }

    const Losses& told() const noexcept { return told_; }

private:
    Losses tell(const Losses& live, std::uint64_t at_most) noexcept;

    std::uint64_t told_damaged() const noexcept { return told_[static_cast<std::size_t>(LossCause::damaged)]; }

    Losses told_{};
    std::uint64_t told_of_inbox_ = 0;  // sum of told_ but for damaged slots, which the inbox does not count
    std::atomic<std::uint64_t> damaged_{0};
};

// Live counters of the inbox; `damaged` is the reader's own.
Losses live_losses(const InboxReader& reader) noexcept;

std::uint64_t total(const Losses& losses) noexcept;

}  // namespace swarmbus::core
