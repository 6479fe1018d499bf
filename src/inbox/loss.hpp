// What an inbox's reader has told its caller about lost events, and what it still has to.
#pragma once

#include <cstdint>
#include <optional>

#include "src/inbox/reader.hpp"
#include "src/overflow.hpp"

namespace swarmbus::core {

class LossLedger {
public:
    // Losses before an event that carries the inbox's sum of drops: max(0, sum - told so far), with
    // causes from the live counters up to that sum.
    Losses before_event(const InboxReader& reader, std::uint64_t sum) noexcept;
    // Losses that no event told of. Reads lines that publishers write: not for every poll.
    Losses untold(const InboxReader& reader) noexcept;
    // A slot that could not be read.
    void add_damaged() noexcept { ++damaged_; }

    const Losses& told() const noexcept { return told_; }

private:
    Losses tell(const Losses& live, std::uint64_t at_most) noexcept;

    Losses told_{};
    std::uint64_t damaged_ = 0;
};

// Live counters of the inbox; `damaged` is the reader's own.
Losses live_losses(const InboxReader& reader) noexcept;

std::uint64_t total(const Losses& losses) noexcept;

}  // namespace swarmbus::core
