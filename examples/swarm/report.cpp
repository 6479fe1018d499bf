#include "report.hpp"

#include "numbers.hpp"

namespace swarm {
namespace {

std::string padded_left(std::string text, std::size_t width) {
    return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

std::string padded_right(std::string text, std::size_t width) {
    return text.size() < width ? text + std::string(width - text.size(), ' ') : text;
}

std::string row(const std::string& type, std::uint64_t total, double seconds) {
    return "  " + padded_right(type, 30) + padded_left(with_commas(total), 10) +
           padded_left(one_decimal(seconds > 0 ? static_cast<double>(total) / seconds : 0.0), 12) + "\n";
}

std::string losses_text(const EventStatistics& statistics) {
    return "lost " + with_commas(statistics.lost()) + ", reported by agents " + with_commas(statistics.lost_by_agents());
}

std::string deaths_text(const DeathToll& toll) {
    return "killed " + std::to_string(toll.killed) + ", restarted " + std::to_string(toll.restarted) + ", back " +
           std::to_string(toll.back);
}

}  // namespace

std::string told_end(const AgentProcess& agent) {
    return std::string(agent.spec.id) + " (pid " + std::to_string(agent.pid) + ") ended unasked: " + agent.fate;
}

std::string second_line(unsigned second, std::chrono::steady_clock::time_point now, const EventStatistics& statistics,
                        std::size_t agents_running, std::size_t agents_started, const DeathToll* deaths) {
    std::string line =
        padded_left(std::to_string(second), 4) + " s" + padded_left(with_commas(statistics.per_second(now)), 8) + " events/s   in all:";
    for (const char* domain : {"agent", "task", "system"}) {
        line += " " + std::string(domain) + " " + with_commas(statistics.domain_total(domain));
    }
    return line + "   " + std::to_string(agents_running) + " of " + std::to_string(agents_started) + " agents alive   " +
           losses_text(statistics) + (deaths != nullptr ? "   " + deaths_text(*deaths) : "") + "\n";
}

std::string summary(const EventStatistics& statistics, const Ending& ending) {
    const double seconds = ending.elapsed.count();
    std::string text = "\n  " + padded_right("event type", 30) + padded_left("events", 10) + padded_left("per second", 12) + "\n";
    for (const TypeCount& type : statistics.types({})) text += row(type.type, type.total, seconds);
    text += row("all", statistics.total(), seconds);
    text += "\n" + losses_text(statistics) + (statistics.lost_by_agents() > 0 ? " (the archivist's inbox is small on purpose)" : "") + "\n";
    text += "agents started " + std::to_string(ending.agents.size()) + ", alive at the end " + std::to_string(ending.agents_alive) + "\n";
    if (const DeathToll* toll = ending.deaths) {
        text += "agents " + deaths_text(*toll) + "; the others sent " + with_commas(toll->others) + " events meanwhile, lost " +
                with_commas(toll->lost) + "\n";
        if (toll->any_away()) text += std::string(ending.agents[toll->latest->agent].spec.id) + " was killed and did not come back\n";
    }
    for (const AgentProcess& agent : ending.agents) {
        if (agent.ended_unasked) text += told_end(agent) + "\n";
    }
    return text;
}

}  // namespace swarm
