// What a handle is subscribed to, and which of it an event concerns.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "capi/swarmbus.h"
#include "src/routing/pattern.hpp"

namespace swarmbus::core {

struct Subscription {
    std::uint64_t id = 0;
    std::vector<Pattern> patterns;
    swb_handler* handler = nullptr;
    void* user = nullptr;
    std::atomic<bool> active{true};

    bool matches(std::string_view type) const noexcept {
        return std::any_of(patterns.begin(), patterns.end(), [&](const Pattern& p) { return p.matches(type); });
    }
};

using Subscriptions = std::vector<std::shared_ptr<Subscription>>;

// The current subscriptions of a handle, changed by one thread at a time and read by its receiver.
class SubscriptionList {
public:
    void store(Subscriptions wanted) noexcept {
        const std::lock_guard lock(mutex_);
        list_ = std::move(wanted);
        version_.fetch_add(1, std::memory_order_release);
    }
    Subscriptions load() const {
        const std::lock_guard lock(mutex_);
        return list_;
    }

    // A receiver's copy, renewed when the list has changed. Looked at after an event was taken: an
    // event that came because of a new subscription then finds it here.
    class View {
    public:
        explicit View(const SubscriptionList& list) noexcept : list_(list) {}
        void refresh() {
            if (version_ == list_.version_.load(std::memory_order_acquire)) [[likely]]
                return;
            const std::lock_guard lock(list_.mutex_);
            version_ = list_.version_.load(std::memory_order_relaxed);
            subscriptions_ = list_.list_;
        }
        const Subscriptions& subscriptions() const noexcept { return subscriptions_; }
        std::uint64_t version() const noexcept { return version_; }

    private:
        const SubscriptionList& list_;
        std::uint64_t version_ = 0;
        Subscriptions subscriptions_;
    };

private:
    mutable std::mutex mutex_;
    Subscriptions list_;
    std::atomic<std::uint64_t> version_{1};
};

// Splits "agent.* task.failed" at spaces and commas and compiles each. Throws SWB_ERR_PATTERN, also
// when there is none.
std::vector<Pattern> parse_patterns(std::string_view text);

// Every pattern of all subscriptions once.
std::vector<Pattern> union_of(const Subscriptions& subscriptions);
std::vector<std::string> texts_of(const std::vector<Pattern>& patterns);

}  // namespace swarmbus::core
