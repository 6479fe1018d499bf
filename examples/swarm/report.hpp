// What the demo prints as plain lines: one a second, and a summary at the end. deaths: nullptr if nobody
// is killed on purpose.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "agent_processes.hpp"
#include "deaths.hpp"
#include "event_statistics.hpp"

namespace swarm {

// An agent that ended without being told to or killed by the demo: who, and how.
std::string told_end(const AgentProcess& agent);

// "   3 s   1,520 events/s   agent 2,345  task 1,933  system 12   11 of 11 agents   lost 0 ...   killed 1, back 1"
std::string second_line(unsigned second, std::chrono::steady_clock::time_point now, const EventStatistics& statistics,
                        std::size_t agents_running, std::size_t agents_started, const DeathToll* deaths = nullptr);

struct Ending {
    std::chrono::duration<double> elapsed;
    std::size_t agents_alive;  // just before they were asked to end
    const std::vector<AgentProcess>& agents;
    const DeathToll* deaths = nullptr;
};

// A table of the types, then losses and agents, those that ended unasked or did not come back by name.
std::string summary(const EventStatistics& statistics, const Ending& ending);

}  // namespace swarm
