// What the viewer knows from the agents' events alone: how many of which type, losses, what each agent does.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "event_rate.hpp"

namespace swarm {

// Whether an event is the bus's own, about itself: not of the swarm.
inline bool is_of_the_bus(const swarmbus::Event& event) noexcept { return event.type().starts_with("bus."); }

struct TypeCount {
    std::string type;
    std::uint64_t total;
    std::uint64_t per_second;
};

struct AgentActivity {
    std::string status;     // as it says by agent.status.changed
    std::string last_type;  // of its latest event
    std::uint64_t events = 0;
    std::uint64_t lost = 0;  // as it says by system.warning
};

class EventStatistics {
public:
    using Time = EventRate::Time;

    void record(const swarmbus::Event& event, Time now);

    std::uint64_t total() const noexcept { return total_; }
    std::uint64_t per_second(Time now) const noexcept { return rate_.per_second(now); }
    // In alphabetical order.
    std::vector<TypeCount> types(Time now) const;
    // Events of a whole domain, the first segment of the type: "agent", "task", "system".
    std::uint64_t domain_total(std::string_view domain) const;
    // nullptr if it has published nothing.
    const AgentActivity* agent(std::string_view source) const;

    // Losses of the viewer's own inbox.
    std::uint64_t lost() const noexcept;
    std::uint64_t lost(swarmbus::LossCause cause) const noexcept { return lost_[static_cast<std::size_t>(cause)]; }
    // Losses that agents report of theirs.
    std::uint64_t lost_by_agents() const noexcept { return lost_by_agents_; }

private:
    struct Type {
        std::uint64_t total = 0;
        EventRate rate;
    };

    void read_payload(const swarmbus::Event& event, AgentActivity& agent);

    std::uint64_t total_ = 0;
    std::uint64_t lost_by_agents_ = 0;
    EventRate rate_;
    std::array<std::uint64_t, SWB_LOSS_CAUSES> lost_{};
    std::map<std::string, Type, std::less<>> types_;
    std::map<std::string, AgentActivity, std::less<>> agents_;
};

}  // namespace swarm
