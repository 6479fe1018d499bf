#include "src/bus/event_type.hpp"

#include <algorithm>

#include "src/clock/clock.hpp"
#include "src/error.hpp"
#include "src/life/cancellation.hpp"
#include "src/routing/name.hpp"
#include "src/routing/pattern.hpp"
#include "src/routing/routes.hpp"
#include "src/routing/type_table.hpp"
#include "src/types/registry.hpp"

namespace swarmbus::core {
namespace {

constexpr std::uint64_t kPatienceNs = 5'000'000;  // publishing does not wait for a stopped holder
constexpr std::uint64_t kNextAttemptNs = 1'000'000'000;
constexpr int kMatchAttempts = 8;

}  // namespace

void EventType::try_to_enter(Attachment& attachment) noexcept {
    const HoldCancellation hold;
    const std::lock_guard lock(mutex_);
    if (entered() || monotonic_ns() < next_attempt_ns_) return;
    try {
        Segment& segment = attachment.segment();
        std::optional<std::uint32_t> index = find_type(segment, name_);
        if (!index && types_in_use(segment) < segment.plan().max_types) {
            ControlLock::Guard guard = attachment.control().acquire(kPatienceNs);
            index = find_type(segment, name_);
            if (!index && types_in_use(segment) < segment.plan().max_types) {
                guard.mark_dirty();
                index = enter_type(segment, name_);
                guard.mark_clean();
            }
        }
        if (index) {
            index_.store(*index, std::memory_order_release);
            return;
        }
    } catch (const std::exception&) {
        // The lock is not to be had, or memory is short: the name travels in the slot for now.
    }
    next_attempt_ns_ = monotonic_ns() + kNextAttemptNs;
}

std::vector<std::uint64_t> EventType::matched_inboxes(Attachment& attachment, InboxVisit& visit) {
    const std::lock_guard lock(mutex_);
    Segment& segment = attachment.segment();
    for (int attempt = 0; attempt < kMatchAttempts; ++attempt) {
        const std::uint64_t generation = control_generation(segment);
        if (generation == matched_generation_) return matched_;
        matched_ = match_inboxes(segment, name_, visit);
        if (control_generation(segment) != generation) continue;
        // Odd: an operation is under way (or its holder stopped): right for now, not to be kept.
        matched_generation_ = (generation & 1) != 0 ? kNeverMatched : generation;
        return matched_;
    }
    return matched_;
}

void TypesByName::add(std::shared_ptr<EventType> type) {
    if (types_.size() >= forget_at_) {
        std::erase_if(types_, [](const auto& known) { return !known.second->entered(); });
        forget_at_ = std::max(kMostRemembered, 2 * types_.size());
    }
    const std::string_view name = type->name();
    types_.emplace(name, std::move(type));
}

std::shared_ptr<EventType> EventTypes::resolve(Attachment& attachment, std::string_view name) {
    const std::lock_guard lock(mutex_);
    if (std::shared_ptr<EventType> known = by_name_.share(name)) return known;
    check_type(name);
    if (whose_ == Of::programs && name.starts_with(kOwnDomain)) {
        throw Error(SWB_ERR_TYPE_NAME, "event type '" + std::string(name) + "': what begins with '" + std::string(kOwnDomain) +
                                           "' is what the bus says of itself; use another first part");
    }
    if (whose_ == Of::programs && attachment.segment().plan().strict != 0 && !attachment.registry().find(name)) {
        throw Error(SWB_ERR_NO_SCHEMA, "bus '" + attachment.segment().name() + "' is strict, and type '" + std::string(name) +
                                           "' has no schema there; register one, or use a bus that is not");
    }
    auto fresh = std::make_shared<EventType>(name);
    fresh->try_to_enter(attachment);
    by_name_.add(fresh);
    return fresh;
}

}  // namespace swarmbus::core
