#include "display.hpp"

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "numbers.hpp"

namespace swarm {
namespace {

constexpr std::size_t kWide = 100;  // columns from which on there is room for the extras
constexpr auto kReturnShown = std::chrono::seconds(2);

Ink ink_of(std::string_view type) {
    if (type == "task.failed" || type == "system.error") return Ink::bad;
    if (type.starts_with("agent.")) return Ink::agent;
    if (type.starts_with("task.")) return Ink::task;
    if (type.starts_with("system.")) return Ink::system;
    return Ink::plain;
}

// Where there is no room for all of a type: its ink tells the domain.
std::string_view without_domain(std::string_view type) { return type.substr(type.find('.') + 1); }

std::string clock_text(std::uint64_t time_ns) {
    const auto seconds = static_cast<time_t>(time_ns / 1'000'000'000);
    tm local{};
    ::localtime_r(&seconds, &local);
    char text[16];
    std::snprintf(text, sizeof text, "%02d:%02d:%02d", local.tm_hour, local.tm_min, local.tm_sec);
    return text;
}

std::string duration_text(std::chrono::steady_clock::duration duration) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
    const std::string rest = std::to_string(seconds % 60);
    return std::to_string(seconds / 60) + (rest.size() < 2 ? ":0" : ":") + rest;
}

void draw_title(Canvas& canvas, const Scene& scene) {
    canvas.put(0, 1, "SwarmBus demo   bus " + scene.bus + "   " + duration_text(scene.now - scene.started));
    canvas.put_right(0, canvas.columns() - 1,
                     "  " + with_commas(scene.statistics.per_second(scene.now)) + " events/s   " + std::to_string(alive(scene.agents)) +
                         " of " + std::to_string(scene.agents.size()) + " agents alive");
    canvas.paint(0, 0, canvas.columns(), Ink::title);
}

// Types with their rates; returns the number of rows.
std::size_t draw_types(Canvas& canvas, const Scene& scene, std::size_t top, std::size_t most, std::size_t width) {
    const bool wide = canvas.columns() >= kWide;
    const std::size_t name_width = wide ? 30 : 26;
    const std::size_t rate_end = name_width + (wide ? 8 : 7);
    const std::size_t bar_at = rate_end + 1, bar_width = wide ? 6 : 0;
    canvas.put(top, 1, "EVENTS", Ink::heading);
    canvas.put_right(top, rate_end, "per s", Ink::heading);
    if (wide) canvas.put_right(top, width, "total", Ink::heading);

    std::vector<TypeCount> types = scene.statistics.types(scene.now);
    std::uint64_t highest = 1;
    for (const TypeCount& type : types) highest = std::max(highest, type.per_second);
    std::size_t row = top + 1;
    for (std::size_t i = 0; i < types.size() && row <= top + most; ++i, ++row) {
        if (row == top + most && i + 1 < types.size()) {
            canvas.put(row, 1, "and " + std::to_string(types.size() - i) + " more", Ink::faint);
            continue;
        }
        canvas.put(row, 1, types[i].type, ink_of(types[i].type), name_width);
        canvas.put_right(row, rate_end, with_commas(types[i].per_second));
        if (wide) {
            canvas.paint(row, bar_at, (types[i].per_second * bar_width + highest - 1) / highest, Ink::bar);
            canvas.put_right(row, width, with_commas(types[i].total), Ink::faint);
        }
    }
    return row - top;
}

struct Label {
    std::string text;
    Ink ink;
};

// What an agent that dies and returns shows in the place of its activity.
std::optional<Label> label_of(const Scene& scene, std::size_t place) {
    const AgentProcess& agent = scene.agents[place];
    if (!agent.running) return Label{agent.fate, Ink::bad};
    if (scene.deaths == nullptr || !scene.deaths->latest || scene.deaths->latest->agent != place) return std::nullopt;
    const Death& death = *scene.deaths->latest;
    if (!death.back) return death.restarted ? Label{"started again", Ink::system} : Label{"killed (kill -9)", Ink::bad};
    if (scene.now - *death.back > kReturnShown) return std::nullopt;
    return Label{"back after " + seconds_text(*death.back - death.killed), Ink::good};
}

std::size_t draw_agents(Canvas& canvas, const Scene& scene, std::size_t top, std::size_t most, std::size_t left) {
    const bool wide = canvas.columns() >= kWide;
    const std::size_t pid_end = left + 19, interface_at = pid_end + 2, status_at = wide ? interface_at + 5 : pid_end + 1;
    const std::size_t event_at = status_at + (wide ? 10 : 9);
    canvas.put(top, left, "AGENT", Ink::heading);
    canvas.put_right(top, pid_end, "pid", Ink::heading);
    if (wide) canvas.put(top, interface_at, "api", Ink::heading);
    canvas.put(top, status_at, "status", Ink::heading);
    canvas.put(top, event_at, "last event", Ink::heading);
    std::size_t row = top + 1;
    for (std::size_t place = 0; place < scene.agents.size() && row <= top + most; ++place, ++row) {
        const AgentProcess& agent = scene.agents[place];
        const AgentActivity* activity = scene.statistics.agent(agent.spec.id);
        const std::optional<Label> label = label_of(scene, place);
        canvas.put(row, left, agent.spec.id, label ? label->ink : Ink::plain, 11);
        canvas.put_right(row, pid_end, std::to_string(agent.pid), Ink::faint);
        if (wide) canvas.put(row, interface_at, agent.spec.interface, Ink::faint);
        if (label) {
            canvas.put(row, status_at, label->text, label->ink);
        } else if (activity != nullptr) {
            canvas.put(row, status_at, activity->status, Ink::good, 8);
            const std::string& type = activity->last_type;
            canvas.put(row, event_at, wide ? type : without_domain(type), ink_of(type));
        }
    }
    return row - top;
}

void draw_losses(Canvas& canvas, const Scene& scene, std::size_t row) {
    std::size_t at = canvas.put(row, 1, "LOST", Ink::heading);
    const std::uint64_t own = scene.statistics.lost();
    at = canvas.put(row, at + 2, "by this viewer " + with_commas(own), own > 0 ? Ink::bad : Ink::good);
    for (const AgentProcess& agent : scene.agents) {
        const AgentActivity* activity = scene.statistics.agent(agent.spec.id);
        if (activity == nullptr || activity->lost == 0) continue;
        at = canvas.put(row, at + 3, std::string(agent.spec.id) + " reports " + with_commas(activity->lost), Ink::system);
    }
}

// Totals, and the latest news below them.
void draw_deaths(Canvas& canvas, const Scene& scene, std::size_t row) {
    const DeathToll& toll = *scene.deaths;
    std::size_t at = canvas.put(row, 1, "DEATHS", Ink::heading);
    at = canvas.put(row, at + 2, std::to_string(toll.killed), toll.any_away() ? Ink::bad : Ink::plain);
    at = canvas.put(row, at + 3, "restarts " + std::to_string(toll.restarted));
    at = canvas.put(row, at + 3, "back " + std::to_string(toll.back), toll.any_away() ? Ink::plain : Ink::good);
    at = canvas.put(row, at + 3, "others sent " + with_commas(toll.others) + " meanwhile, ");
    canvas.put(row, at, "lost " + with_commas(toll.lost), toll.lost > 0 ? Ink::bad : Ink::good);
    if (toll.latest) canvas.put(row + 1, 3, told(*toll.latest, scene.agents[toll.latest->agent]), toll.latest->back ? Ink::good : Ink::bad);
}

void draw_latest(Canvas& canvas, const Scene& scene, std::size_t top, std::size_t bottom) {
    const bool wide = canvas.columns() >= kWide;
    const std::size_t source_at = wide ? 41 : 37, payload_at = source_at + 12;
    canvas.put(top, 1, "LATEST, a few a second", Ink::heading);
    canvas.put(top, source_at, "from", Ink::heading);
    canvas.put(top, payload_at, "payload", Ink::heading);
    std::size_t row = top + 1;
    for (const EventLine& line : scene.latest.lines()) {
        if (row >= bottom) break;
        canvas.put(row, 1, clock_text(line.time_ns), Ink::faint);
        canvas.put(row, 10, line.type, ink_of(line.type), source_at - 11);
        canvas.put(row, source_at, line.source, Ink::plain, 11);
        canvas.put(row, payload_at, line.payload, Ink::faint);
        ++row;
    }
}

void draw_hint(Canvas& canvas, const Scene& scene) {
    const std::size_t row = canvas.rows() - 1;
    const std::size_t at = canvas.put(row, 1, "In another terminal: ");
    canvas.put(row, at,
               scene.tool + " -b " + scene.bus + " sub 'agent.*'" + (scene.gateway.empty() ? "" : "   in a browser: " + scene.gateway));
    canvas.put_right(row, canvas.columns() - 1, "  q ends ");
    canvas.paint(row, 0, canvas.columns(), Ink::title);
}

}  // namespace

Canvas draw(const Scene& scene, std::size_t rows, std::size_t columns) {
    const std::size_t others = scene.deaths != nullptr ? 7 : 5;  // title, heading, losses, deaths, heading of the latest, hint
    Canvas canvas(std::max<std::size_t>(rows, 1), std::max<std::size_t>(columns, 1));
    draw_title(canvas, scene);
    if (rows < 3) return canvas;

    const std::size_t left_width = columns >= kWide ? 56 : 33;
    const std::size_t most = rows > others ? rows - others : 1;
    const std::size_t types = draw_types(canvas, scene, 1, most, left_width);
    const std::size_t agents = draw_agents(canvas, scene, 1, most, left_width + (columns >= kWide ? 3 : 2));
    std::size_t row = 1 + std::max(types, agents);
    draw_losses(canvas, scene, row++);
    if (scene.deaths != nullptr) {
        draw_deaths(canvas, scene, row);
        row += 2;
    }
    if (row + 1 < rows - 1) draw_latest(canvas, scene, row, rows - 1);
    draw_hint(canvas, scene);
    return canvas;
}

}  // namespace swarm
