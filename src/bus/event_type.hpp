// Event types as publishers of this process know them: resolved once, then found by name.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "src/life/attachment.hpp"
#include "src/routing/routes.hpp"

namespace swarmbus::core {

// A type that was entered in the bus's table has an index and a route there. One that could not be
// (table full, control lock held by a stopped process) travels with its name in the slot, and its
// subscribers are matched in this process, again whenever the control data change.
class EventType {
public:
    explicit EventType(std::string_view name) : name_(name) {}

    const std::string& name() const noexcept { return name_; }
    bool entered() const noexcept { return index_.load(std::memory_order_acquire) < SWB_TYPE_INLINE; }
    std::uint16_t index() const noexcept { return static_cast<std::uint16_t>(index_.load(std::memory_order_acquire)); }

    // Enters the type if it is not; waits for the control lock a few milliseconds at most, and not
    // more often than once a second.
    void try_to_enter(Attachment& attachment) noexcept;

    // The inboxes of a type that is not entered.
    std::vector<std::uint64_t> matched_inboxes(Attachment& attachment, InboxVisit& visit = InboxVisit::under_the_lock());

private:
    static constexpr std::uint64_t kNeverMatched = ~std::uint64_t{0};

    const std::string name_;
    std::atomic<std::uint32_t> index_{SWB_TYPE_INLINE};
    std::mutex mutex_;
    std::uint64_t next_attempt_ns_ = 0;
    std::uint64_t matched_generation_ = kNeverMatched;
    std::vector<std::uint64_t> matched_;
};

// Types by name. Those that are not entered are forgotten when there are very many: a program that
// makes names up as it goes does not grow for ever.
class TypesByName {
public:
    EventType* find(std::string_view name) const {
        const auto known = types_.find(name);
        return known == types_.end() ? nullptr : known->second.get();
    }
    std::shared_ptr<EventType> share(std::string_view name) const {
        const auto known = types_.find(name);
        return known == types_.end() ? nullptr : known->second;
    }
    void add(std::shared_ptr<EventType> type);
    std::size_t size() const noexcept { return types_.size(); }

private:
    static constexpr std::size_t kMostRemembered = 8192;

    std::unordered_map<std::string_view, std::shared_ptr<EventType>> types_;  // keys point into the types
    std::size_t forget_at_ = kMostRemembered;
};

class EventTypes {
public:
    // Whose they are: what begins with kOwnDomain only the bus itself publishes.
    enum class Of { programs, the_bus };
    explicit EventTypes(Of whose = Of::programs) noexcept : whose_(whose) {}

    // Throws SWB_ERR_TYPE_NAME, SWB_ERR_NO_SCHEMA. Thread-safe.
    std::shared_ptr<EventType> resolve(Attachment& attachment, std::string_view name);

private:
    const Of whose_;
    std::mutex mutex_;
    TypesByName by_name_;
};

}  // namespace swarmbus::core
