// Deaths on purpose: every few seconds an agent is killed, all in turn, and started again a moment
// later. It is back when its events arrive on the bus again, not before. One at a time is away.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "agent_processes.hpp"
#include "event_statistics.hpp"

namespace swarm {

struct Death {
    using Time = std::chrono::steady_clock::time_point;

    std::size_t agent;  // its place among the processes
    Time killed{};
    std::optional<Time> restarted{}, back{};
    // From its death to its return: events of all others that reached the viewer, and the viewer's losses.
    std::uint64_t others = 0, lost = 0;
};

struct DeathToll {
    unsigned killed = 0, restarted = 0, back = 0;
    std::uint64_t others = 0, lost = 0;  // of those that are back
    std::optional<Death> latest{};

    bool any_away() const noexcept { return back < killed; }
};

// "coder-1 (pid 4711) killed (kill -9)", "coder-1 back after 1.1 s; ..."
std::string told(const Death& death, const AgentProcess& agent);

class Deaths {
public:
    using Time = Death::Time;

    struct Plan {
        Time first;
        std::chrono::steady_clock::duration every;
        std::optional<Time> last{};  // nobody is killed after it
    };

    // Both are used as long as this lives.
    Deaths(AgentProcesses& agents, const EventStatistics& statistics, const Plan& plan);

    // Takes the step that is due. All events that have come by now must be recorded, and the processes
    // be watched, between two calls. Returns whether there is news: a death or a return.
    bool turn(Time now);
    // Kills nobody any more; who is away is started again without a pause.
    void hurry() noexcept;
    // Whether to wait for the one that is away: not when it has ended by itself, too.
    bool may_come_back() const noexcept;

    const DeathToll& toll() const noexcept { return toll_; }

private:
    bool kill_next(Time now);
    bool bring_back(Death& death, Time now);
    std::uint64_t events_of(std::size_t place) const;
    std::uint64_t events_of_others(std::size_t place) const { return statistics_.total() - events_of(place); }

    AgentProcesses& agents_;
    const EventStatistics& statistics_;
    Plan plan_;
    Time next_;
    std::chrono::steady_clock::duration pause_;
    std::size_t turn_;  // the place of the next victim, and any number of rounds
    bool hurried_ = false, seen_dead_ = false;
    std::uint64_t events_before_ = 0, others_before_ = 0, lost_before_ = 0;
    DeathToll toll_;
};

}  // namespace swarm
