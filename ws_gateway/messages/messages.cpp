#include "ws_gateway/messages/messages.hpp"

#include <array>

namespace swarmbus::gateway {

std::string_view name_of(Resume resume) noexcept {
    constexpr std::array<std::string_view, 3> kNames = {"live", "recovered", "reset"};
    return kNames[static_cast<std::size_t>(resume)];
}

std::string_view name_of(ResetReason reason) noexcept {
    constexpr std::array<std::string_view, 5> kNames = {"none", "epoch", "expired", "uncovered", "ahead"};
    return kNames[static_cast<std::size_t>(reason)];
}

std::string_view name_of(swb_loss_cause cause) noexcept {
    constexpr std::array<std::string_view, SWB_LOSS_CAUSES> kNames = {"evicted", "full", "timeout", "self", "no_slot", "damaged"};
    return kNames[static_cast<std::size_t>(cause)];
}

}  // namespace swarmbus::gateway
