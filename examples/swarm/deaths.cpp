#include "deaths.hpp"

#include <numeric>
#include <utility>

#include "numbers.hpp"

namespace swarm {
namespace {

using namespace std::chrono_literals;

constexpr auto kPause = 1s;  // long enough to be seen
// From victim to victim, so that kinds and languages take turns; coder-1 is the first.
constexpr std::size_t kFirst = 3, kStride = 5;
static_assert(std::gcd(kStride, kRoster.size()) == 1, "everybody's turn comes");

}  // namespace

std::string told(const Death& death, const AgentProcess& agent) {
    const std::string id = agent.spec.id;
    if (death.back) {
        return id + " back after " + seconds_text(*death.back - death.killed) + "; the others sent " + with_commas(death.others) +
               " events meanwhile, lost " + with_commas(death.lost);
    }
    const std::string who = id + " (pid " + std::to_string(agent.pid) + ") ";
    return who + (death.restarted ? "started again" : "killed (kill -9)");
}

Deaths::Deaths(AgentProcesses& agents, const EventStatistics& statistics, const Plan& plan)
    : agents_(agents), statistics_(statistics), plan_(plan), next_(plan.first), pause_(kPause), turn_(kFirst) {}

bool Deaths::turn(Time now) {
    if (toll_.any_away()) return bring_back(*toll_.latest, now);
    return now >= next_ && !hurried_ && (!plan_.last || now <= *plan_.last) && kill_next(now);
}

// Passes over those that ended by themselves, and those that have not been heard of yet.
bool Deaths::kill_next(Time now) {
    const std::size_t count = agents_.all().size();
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t victim = turn_ % count;
        turn_ += kStride;
        if (!agents_.all()[victim].running || events_of(victim) == 0) continue;
        agents_.kill(victim);
        toll_.latest = Death{.agent = victim, .killed = now};
        ++toll_.killed;
        seen_dead_ = false;
        others_before_ = events_of_others(victim);
        lost_before_ = statistics_.lost();
        next_ = now + plan_.every;
        return true;
    }
    return false;
}

bool Deaths::bring_back(Death& death, Time now) {
    const AgentProcess& agent = agents_.all()[death.agent];
    if (agent.ended_unasked) return false;
    if (!death.restarted) {
        // What it published may have been recorded before it was dead: one more turn, and all of it is.
        const bool all_recorded = std::exchange(seen_dead_, !agent.running);
        if (!all_recorded || now < death.killed + pause_) return false;
        events_before_ = events_of(death.agent);
        agents_.restart(death.agent);
        death.restarted = now;
        ++toll_.restarted;
        return false;
    }
    if (events_of(death.agent) == events_before_) return false;
    death.back = now;
    death.others = events_of_others(death.agent) - others_before_;
    death.lost = statistics_.lost() - lost_before_;
    ++toll_.back;
    toll_.others += death.others;
    toll_.lost += death.lost;
    return true;
}

void Deaths::hurry() noexcept {
    hurried_ = true;
    pause_ = {};
}

bool Deaths::may_come_back() const noexcept { return toll_.any_away() && !agents_.all()[toll_.latest->agent].ended_unasked; }

std::uint64_t Deaths::events_of(std::size_t place) const {
    const AgentActivity* activity = statistics_.agent(agents_.all()[place].spec.id);
    return activity != nullptr ? activity->events : 0;
}

}  // namespace swarm
