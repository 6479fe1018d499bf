// The latest events, at a pace that can be read: of all that come within a turn a few are shown, first
// those of types that were not shown for the longest time.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include <swarmbus/swarmbus.hpp>

namespace swarm {

struct EventLine {
    std::uint64_t time_ns = 0;
    std::string type, source, subject, payload;
};

class LatestEvents {
public:
    // How a payload is shown. What it throws comes out of offer().
    using PayloadText = std::function<std::string(const swarmbus::Event&)>;

    LatestEvents(std::size_t per_turn, PayloadText payload_text) : per_turn_(per_turn), payload_text_(std::move(payload_text)) {}

    void offer(const swarmbus::Event& event);
    // Ends a turn: chooses among what was offered since the last one.
    void turn();
    // The newest first.
    const std::deque<EventLine>& lines() const noexcept { return lines_; }

private:
    static constexpr std::size_t kKept = 100;

    std::size_t per_turn_;
    PayloadText payload_text_;
    std::uint64_t shown_count_ = 0;
    std::map<std::string, EventLine, std::less<>> offered_;         // the newest of each type
    std::map<std::string, std::uint64_t, std::less<>> last_shown_;  // by type; 0: never
    std::deque<EventLine> lines_;
};

}  // namespace swarm
