#include "latest_events.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace swarm {
namespace {

constexpr std::size_t kLongestPayload = 256;  // more does not fit in a line

}  // namespace

void LatestEvents::offer(const swarmbus::Event& event) {
    EventLine line{event.time_ns(), std::string(event.type()), std::string(event.source()), std::string(event.subject()),
                   payload_text_(event).substr(0, kLongestPayload)};
    offered_.insert_or_assign(line.type, std::move(line));
}

void LatestEvents::turn() {
    std::vector<EventLine> chosen;
    for (auto& [type, line] : offered_) chosen.push_back(std::move(line));
    offered_.clear();
    std::stable_sort(chosen.begin(), chosen.end(),
                     [&](const EventLine& a, const EventLine& b) { return last_shown_[a.type] < last_shown_[b.type]; });
    chosen.resize(std::min(chosen.size(), per_turn_));
    std::sort(chosen.begin(), chosen.end(), [](const EventLine& a, const EventLine& b) { return a.time_ns < b.time_ns; });
    for (EventLine& line : chosen) {
        last_shown_[line.type] = ++shown_count_;
        lines_.push_front(std::move(line));
    }
    if (lines_.size() > kKept) lines_.resize(kKept);
}

}  // namespace swarm
