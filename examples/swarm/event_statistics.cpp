#include "event_statistics.hpp"

#include <numeric>

#include "metadata.hpp"
#include "table_of.hpp"

namespace swarm {
namespace {

template <typename Value>
Value& entry(std::map<std::string, Value, std::less<>>& map, std::string_view key) {
    const auto found = map.find(key);
    return found != map.end() ? found->second : map.emplace(key, Value{}).first->second;
}

}  // namespace

void EventStatistics::record(const swarmbus::Event& event, Time now) {
    if (event.lost() > 0) {
        for (std::size_t cause = 0; cause < lost_.size(); ++cause) lost_[cause] += event.lost(static_cast<swarmbus::LossCause>(cause));
    }
    if (!event || is_of_the_bus(event)) return;  // !event: losses only
    ++total_;
    rate_.add(now);
    Type& type = entry(types_, event.type());
    ++type.total;
    type.rate.add(now);

    AgentActivity& agent = entry(agents_, event.source());
    ++agent.events;
    agent.last_type = event.type();
    read_payload(event, agent);
}

// Anybody may publish anything on the bus: payloads that are not what they should be are passed over.
void EventStatistics::read_payload(const swarmbus::Event& event, AgentActivity& agent) {
    if (const auto* const changed = table_of<swarmbus::events::AgentStatusChanged>(event)) {
        if (changed->new_status() != nullptr) agent.status = changed->new_status()->str();
    } else if (const auto* const warning = table_of<swarmbus::events::SystemWarning>(event)) {
        const std::uint64_t lost = count_of(warning->metadata(), "lost").value_or(0);
        agent.lost += lost;
        lost_by_agents_ += lost;
    }
}

std::vector<TypeCount> EventStatistics::types(Time now) const {
    std::vector<TypeCount> counts;
    for (const auto& [name, type] : types_) counts.push_back({name, type.total, type.rate.per_second(now)});
    return counts;
}

std::uint64_t EventStatistics::domain_total(std::string_view domain) const {
    std::uint64_t sum = 0;
    for (const auto& [name, type] : types_) {
        if (name.starts_with(domain) && (name.size() == domain.size() || name[domain.size()] == '.')) sum += type.total;
    }
    return sum;
}

const AgentActivity* EventStatistics::agent(std::string_view source) const {
    const auto found = agents_.find(source);
    return found != agents_.end() ? &found->second : nullptr;
}

std::uint64_t EventStatistics::lost() const noexcept { return std::accumulate(lost_.begin(), lost_.end(), std::uint64_t{0}); }

}  // namespace swarm
