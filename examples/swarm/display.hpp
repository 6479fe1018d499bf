// The picture of the swarm.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "agent_processes.hpp"
#include "canvas.hpp"
#include "deaths.hpp"
#include "event_statistics.hpp"
#include "latest_events.hpp"

namespace swarm {

struct Scene {
    const std::string& bus;
    const std::string& tool;     // how the command line tool is called
    const std::string& gateway;  // where browsers see the swarm; empty: nowhere
    std::chrono::steady_clock::time_point started, now;
    const EventStatistics& statistics;
    const LatestEvents& latest;
    const std::vector<AgentProcess>& agents;
    const DeathToll* deaths = nullptr;  // if agents are killed on purpose
};

// Fits any size: what has no room is left out, the panels of types and agents last.
Canvas draw(const Scene& scene, std::size_t rows, std::size_t columns);

}  // namespace swarm
