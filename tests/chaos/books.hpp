// What one inbox of a chaos run has received, and what was wrong with it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <swarmbus/swarmbus.hpp>

#include "tests/chaos/world.hpp"
#include "tests/support/process_numbered.hpp"

namespace swarmbus::chaos {

constexpr std::size_t kSlotBytes = 256;  // the default; a larger payload lies in an arena

class Books {
public:
    explicit Books(World& world) : world_(world) {}

    void take(const Event& event) {
        for (std::size_t cause = 0; cause < SWB_LOSS_CAUSES; ++cause) {
            told_[cause] += event.lost(static_cast<LossCause>(cause));
            world_.told[cause] += event.lost(static_cast<LossCause>(cause));
        }
        if (!event) return;
        if (std::string_view(event.type()).starts_with("bus.")) {
            ++world_.lives_told;
            return;
        }
        ++received_;
        ++world_.received;
        if (event.payload().size() > kSlotBytes) ++world_.large;
        const auto numbered = test::NumberedPayload::read(event.payload());
        if (!numbered || numbered->publisher >= kPublishers) return world_.blame("an event is torn");
        std::uint64_t& last = last_[numbered->publisher];
        // A child that outlives its parent for a moment meets its successor: of those only one is followed.
        const bool child = numbered->publisher % kPublishersEach == 2;
        if (numbered->number <= last && !(child && numbered->number >> 32 != last >> 32)) {
            world_.blame("publisher " + std::to_string(numbered->publisher) + ": " + std::to_string(numbered->number) + " came after " +
                         std::to_string(last));
        }
        last = std::max(last, numbered->number);
    }
    std::uint64_t received() const noexcept { return received_; }
    std::uint64_t evicted() const noexcept { return told_[SWB_LOSS_EVICTED]; }
    std::uint64_t damaged() const noexcept { return told_[SWB_LOSS_DAMAGED]; }
    std::uint64_t not_delivered() const noexcept {
        return told_[SWB_LOSS_FULL] + told_[SWB_LOSS_TIMEOUT] + told_[SWB_LOSS_SELF] + told_[SWB_LOSS_NO_SLOT];
    }
    std::uint64_t known() const noexcept { return received_ + evicted() + not_delivered(); }

private:
    World& world_;
    std::uint64_t received_ = 0;
    std::array<std::uint64_t, SWB_LOSS_CAUSES> told_{};
    std::array<std::uint64_t, kPublishers> last_{};
};

}  // namespace swarmbus::chaos
