// Subscribing and unsubscribing: the patterns of a handle's inbox, and the routes that follow.
#include <algorithm>

#include "src/bus/handle.hpp"
#include "src/error.hpp"
#include "src/life/cancellation.hpp"
#include "src/life/inbox_table.hpp"
#include "src/routing/routes.hpp"

namespace swarmbus::core {

std::uint64_t Handle::subscribe(std::string_view patterns, swb_handler* handler, void* user) {
    const HoldCancellation hold;
    auto fresh = std::make_shared<Subscription>();
    fresh->patterns = parse_patterns(patterns);
    fresh->handler = handler;
    fresh->user = user;
    const std::lock_guard changes(subscriptions_mutex_);
    check_usable();
    fresh->id = next_subscription_;
    Subscriptions wanted = subscriptions_.load();
    wanted.push_back(fresh);
    store_subscriptions(std::move(wanted));
    ++next_subscription_;
    return fresh->id;
}

void Handle::take_over_subscriptions(Handle& other) {
    const HoldCancellation hold;
    const std::scoped_lock changes(subscriptions_mutex_, other.subscriptions_mutex_);
    next_subscription_ = other.next_subscription_;
    dispatch_mutex_ = other.dispatch_mutex_;  // who unsubscribes here waits for a handler that still runs there
    if (Subscriptions wanted = other.subscriptions_.load(); !wanted.empty()) store_subscriptions(std::move(wanted));
}

void Handle::unsubscribe(std::uint64_t id) {
    std::shared_ptr<Subscription> ended;
    {
        const HoldCancellation hold;
        const std::lock_guard changes(subscriptions_mutex_);
        check_usable();
        Subscriptions wanted = subscriptions_.load();
        const auto found = std::find_if(wanted.begin(), wanted.end(), [&](const auto& s) { return s->id == id; });
        if (found == wanted.end()) {
            throw Error(SWB_ERR_NOT_FOUND, "this handle has no subscription " + std::to_string(id) + "; it may have ended already");
        }
        ended = *found;
        wanted.erase(found);
        store_subscriptions(std::move(wanted));
    }
    ended->active.store(false, std::memory_order_release);
    // A handler of it that runs in another thread has returned when this lock is had; within a
    // handler the lock is ours already.
    const std::lock_guard handler_returned(*dispatch_mutex_);
}

// Makes the inbox ask for exactly what these subscriptions do. A bit that is wanted before and after
// is not touched: no event that matches all the time is missed.
void Handle::store_subscriptions(Subscriptions wanted) {
    const std::vector<Pattern> patterns = union_of(wanted);
    const std::vector<std::string> texts = texts_of(patterns);
    Segment& segment = attachment_->segment();
    std::unique_ptr<Inbox> fresh;
    {
        ControlLock::Guard guard = attachment_->control().acquire();
        guard.mark_dirty();
        std::uint32_t index = 0;
        Inbox* inbox = inbox_.load(std::memory_order_relaxed);
        try {
            if (inbox == nullptr) {
                const std::uint32_t capacity = options_.capacity != 0 ? options_.capacity : segment.plan().default_capacity;
                index = take_inbox(segment, {attachment_->participant(), attachment_->generation()}, capacity, options_.overflow);
                fresh = std::make_unique<Inbox>(attachment_, subscriptions_, index, options_.overflow, options_.stall_timeout_ns);
                write_patterns(segment, index, texts);
                activate_inbox(segment, index);
            } else {
                index = inbox->index();
                write_patterns(segment, index, texts);
            }
        } catch (...) {
            finish_inbox_table(segment);
            guard.mark_clean();
            throw;
        }
        // Before the routes: what comes because of them is not filtered out as unwanted.
        subscriptions_.store(std::move(wanted));
        route_inbox(segment, index, patterns);
        guard.mark_clean();
    }
    if (fresh) {
        owned_inbox_ = std::move(fresh);
        inbox_.store(owned_inbox_.get(), std::memory_order_release);
    }
}

}  // namespace swarmbus::core
