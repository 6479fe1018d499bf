// The gateway as a subscriber of the bus: of the union of what its clients ask for.
#pragma once

#include <swarmbus/swarmbus.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "ws_gateway/delivery/token_bucket.hpp"
#include "ws_gateway/journal/journal.hpp"

namespace swarmbus::gateway {

class Feed {
public:
    struct Limits {
        std::chrono::milliseconds linger{std::chrono::minutes(5)};  // how long a pattern stays followed that nobody asks for
        std::size_t event_bytes = std::size_t{1} << 20;             // larger payloads are left out
        std::size_t patterns = 10'000;                              // followed at a time
    };

    // The bus is opened to reattach.
    Feed(Bus& bus, Journal& journal, const Limits& limits) : bus_(bus), journal_(journal), limits_(limits), reattached_(bus.reattached()) {}
    Feed(const Feed&) = delete;
    Feed& operator=(const Feed&) = delete;

    // One more who asks for a pattern. What is published from then on is in the journal behind its end of that moment. Throws Error, also
    // when there are too many patterns (SWB_ERR_PATTERNS_FULL); then nothing has changed.
    void follow(const std::string& pattern);
    // One less; the pattern is followed on for a while.
    void leave(const std::string& pattern, Clock::time_point now);
    // Ends what nobody has asked for long enough.
    void expire(Clock::time_point now);
    // Follows a pattern as long as the gateway runs. Called before the first event is taken.
    void follow_always(const std::string& pattern);
    // The offset since which all that matches is in the journal; nothing if it is not followed.
    std::optional<std::uint64_t> followed_since(const std::string& pattern) const;
    // Whether all that matches was taken since the gateway was started.
    bool is_followed_always(const std::string& pattern) const;

    // Takes what is there into the journal, up to about `most` events, and tells how many; fewer: no more are there. Never waits.
    // Throws Error when the bus can't be read any more.
    std::size_t take(std::size_t most);
    // Readable when take() has something to do. Valid once something is followed.
    int descriptor() { return bus_.descriptor(); }
    // Whether descriptor() may be another one since the last call.
    bool has_new_descriptor() noexcept { return std::exchange(has_new_descriptor_, false); }
    bool is_subscribed() const noexcept { return !subscribed_.empty(); }

private:
    struct Followed {
        std::size_t clients = 0;
        std::uint64_t since = 0;      // offset
        Clock::time_point left_at{};  // by the last client
        bool always = false;
    };

    template <typename Visit>
    void for_each_cover(const std::string& pattern, Visit&& visit) const;
    bool is_covered(const std::string& pattern) const;
    // Whether the inbox is subscribed to it, or to one that brings it.
    bool is_brought(const std::string& pattern) const;
    // Room for one more pattern: the one that was left first is followed no longer.
    void make_room();
    // Subscribes to what is followed, and to no more than that unless the patterns are too many for an inbox.
    void subscribe();
    std::set<std::string> patterns_wanted() const;

    Bus& bus_;
    Journal& journal_;
    const Limits limits_;
    std::uint64_t reattached_;  // how often the bus was opened anew so far
    std::map<std::string, Followed> followed_;
    std::map<std::string, SubscriptionId> subscribed_;
    bool has_new_descriptor_ = false;
    bool has_left_any_ = false;  // patterns that were followed and are no longer
};

}  // namespace swarmbus::gateway
