#include "ws_gateway/bus/feed.hpp"

#include <algorithm>

namespace swarmbus::gateway {
namespace {

// An inbox has room for 2,048 bytes of patterns, each with a byte behind it; the wide ones must fit in beside the others.
constexpr std::size_t kPatternBytes = 2048 - 16;
constexpr std::string_view kOwnDomain = "bus.";
constexpr std::string_view kWidest = "*";  // and so is ">"

}  // namespace

void Feed::follow(const std::string& pattern) {
    if (!followed_.contains(pattern)) make_room();
    const auto [place, is_new] = followed_.try_emplace(pattern);
    if (is_new) {
        if (!is_brought(pattern)) {
            try {
                subscribe();
            } catch (...) {
                followed_.erase(place);
                throw;
            }
        }
        // Nobody knows what was published while it was not followed: who was here before then has a lower cursor.
        if (has_left_any_) journal_.append_nothing();
        place->second.since = journal_.last();
    }
    ++place->second.clients;
}

void Feed::make_room() {
    if (followed_.size() < limits_.patterns) return;
    auto oldest = followed_.end();
    for (auto at = followed_.begin(); at != followed_.end(); ++at) {
        if (at->second.clients == 0 && (oldest == followed_.end() || at->second.left_at < oldest->second.left_at)) oldest = at;
    }
    if (oldest == followed_.end()) {
        throw Error(SWB_ERR_PATTERNS_FULL,
                    "clients follow " + std::to_string(followed_.size()) + " patterns, more than the gateway can; ask for wider ones");
    }
    followed_.erase(oldest);
    has_left_any_ = true;
}

void Feed::follow_always(const std::string& pattern) {
    follow(pattern);
    followed_.at(pattern).always = true;
}

void Feed::leave(const std::string& pattern, Clock::time_point now) {
    const auto place = followed_.find(pattern);
    if (place == followed_.end()) return;
    --place->second.clients;
    place->second.left_at = now;
}

void Feed::expire(Clock::time_point now) {
    const auto expired = std::erase_if(
        followed_, [&](const auto& entry) { return entry.second.clients == 0 && entry.second.left_at + limits_.linger <= now; });
    if (expired == 0) return;
    has_left_any_ = true;
    subscribe();
}

// What is followed that takes in all of a pattern.
template <typename Visit>
void Feed::for_each_cover(const std::string& pattern, Visit&& visit) const {
    for (const std::string& cover : {pattern, std::string("*"), std::string(">")}) {
        if (cover != pattern && pattern.starts_with(kOwnDomain)) continue;
        if (const auto place = followed_.find(cover); place != followed_.end()) visit(place->second);
    }
}

std::optional<std::uint64_t> Feed::followed_since(const std::string& pattern) const {
    std::optional<std::uint64_t> since;
    for_each_cover(pattern, [&](const Followed& followed) { since = std::min(since.value_or(followed.since), followed.since); });
    return since;
}

bool Feed::is_followed_always(const std::string& pattern) const {
    bool always = false;
    for_each_cover(pattern, [&](const Followed& followed) { always |= followed.always; });
    return always;
}

bool Feed::is_brought(const std::string& pattern) const {
    if (subscribed_.contains(pattern)) return true;
    return pattern.starts_with(kOwnDomain) ? subscribed_.contains("bus.*") : subscribed_.contains("*") || subscribed_.contains(">");
}

// Whether a wider one brings all of a pattern.
bool Feed::is_covered(const std::string& pattern) const {
    bool covered = false;
    for_each_cover(pattern, [&](const Followed& followed) { covered |= &followed != &followed_.at(pattern); });
    return covered && pattern != kWidest;
}

// Changing what the inbox follows may have to wait for other processes: what is covered already changes nothing.
std::set<std::string> Feed::patterns_wanted() const {
    std::set<std::string> wanted;
    std::size_t bytes = 0;
    for (const auto& [pattern, followed] : followed_) {
        if (is_covered(pattern)) continue;
        wanted.insert(pattern);
        bytes += pattern.size() + 1;
    }
    if (bytes <= kPatternBytes) return wanted;
    // Wider ones, which need less room; clients' filters leave out what nobody asked for.
    const bool of_bus = std::ranges::any_of(wanted, [](const std::string& pattern) { return pattern.starts_with(kOwnDomain); });
    return of_bus ? std::set<std::string>{"*", "bus.*"} : std::set<std::string>{"*"};
}

void Feed::subscribe() {
    has_new_descriptor_ = true;
    const std::set<std::string> wanted = patterns_wanted();
    for (const std::string& pattern : wanted) {
        if (!subscribed_.contains(pattern)) subscribed_.emplace(pattern, bus_.subscribe(pattern));
    }
    std::erase_if(subscribed_, [&](const auto& own) {
        if (wanted.contains(own.first)) return false;
        bus_.unsubscribe(own.second);
        return true;
    });
}

std::size_t Feed::take(std::size_t most) {
    std::size_t taken = 0;
    while (taken < most) {
        const auto batch = bus_.next_batch(most - taken, std::chrono::nanoseconds(0));
        if (batch.empty()) {
            if (bus_.reattached() == reattached_) break;
            reattached_ = bus_.reattached();
            has_new_descriptor_ = true;
            journal_.append(BusLoss{.by_cause = {}, .reattached = true});
            continue;
        }
        for (const Event& event : batch) {
            if (event.lost() > 0) {
                BusLoss loss;
                std::copy_n(event.raw().lost_by, SWB_LOSS_CAUSES, loss.by_cause.begin());
                journal_.append(loss);
            }
            if (!event) continue;
            Record record;
            record.time_ns = event.time_ns();
            record.sequence = event.sequence();
            record.writer = event.writer();
            record.encoding = event.raw().encoding;
            record.type_name = event.type();
            record.source = event.source();
            record.subject = event.subject();
            if (event.payload().size() <= limits_.event_bytes) {
                record.payload = event.text();
            } else {
                record.omitted_bytes = event.payload().size();
            }
            journal_.append(record);
        }
        taken += batch.size();
    }
    return taken;
}

}  // namespace swarmbus::gateway
