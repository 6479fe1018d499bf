// swarmbus ps: who is on a bus. Looks only.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <numeric>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "src/tool/arguments.hpp"
#include "src/tool/commands.hpp"
#include "src/tool/exit_status.hpp"
#include "src/tool/streams.hpp"
#include "src/tool/text.hpp"
#include "src/tool/timestamp.hpp"

namespace swarmbus::tool {
namespace {

constexpr const char* kConditions[] = {"alive", "stopped", "lock lost", "dead"};
constexpr const char* kCauses[SWB_LOSS_CAUSES] = {"evicted", "full", "timeout", "self", "no_slot", "damaged"};

struct Row {
    swb_participant participant;
    std::string name, patterns;
};

std::vector<Row> read_rows(const std::string& bus) {
    std::vector<Row> rows;
    const auto add = [](const swb_participant* participant, void* list) {
        static_cast<std::vector<Row>*>(list)->push_back({*participant, participant->name, participant->patterns});
    };
    detail::check(swb_participants(bus.c_str(), add, &rows));
    return rows;
}

const char* condition_text(const swb_participant& participant) noexcept {
    return participant.condition < std::size(kConditions) ? kConditions[participant.condition] : "?";
}

std::uint64_t lost(const swb_participant& participant) noexcept {
    return std::accumulate(std::begin(participant.lost_by), std::end(participant.lost_by), std::uint64_t{0});
}

void append_table(std::string& out, const std::vector<Row>& rows) {
    std::size_t width = 4;
    for (const Row& row : rows) width = std::max(width, width_of(printable(row.name)));
    const auto append_name = [&](const std::string& name) {
        out += name;
        out.append(width - width_of(name), ' ');
    };
    append_name("NAME");
    out += "       PID  STATE      SINCE                WAITING        LOST  PATTERNS\n";
    for (const Row& row : rows) {
        const swb_participant& participant = row.participant;
        append_name(printable(row.name));
        char text[128];
        std::snprintf(text, sizeof text, "  %8u  %-9s  %.19s  %7lu  %10lu  ", participant.pid, condition_text(participant),
                      local_timestamp(participant.joined_ns).c_str(), static_cast<unsigned long>(participant.waiting),
                      static_cast<unsigned long>(lost(participant)));
        out += text;
        out += (row.patterns.empty() ? "-" : printable(row.patterns)) + '\n';
    }
}

void append_json(std::string& out, const Row& row) {
    const swb_participant& participant = row.participant;
    out += "{\"name\":";
    append_json_string(out, row.name);
    out += ",\"pid\":" + std::to_string(participant.pid);
    out += ",\"state\":\"" + std::string(condition_text(participant)) + '"';
    out += ",\"since\":\"" + utc_timestamp(participant.joined_ns) + '"';
    out += ",\"inboxes\":" + std::to_string(participant.inboxes);
    out += ",\"writers\":" + std::to_string(participant.writers);
    out += ",\"waiting\":" + std::to_string(participant.waiting);
    out += ",\"lost\":" + std::to_string(lost(participant));
    out += ",\"lost_by\":{";
    const char* separator = "\"";
    for (std::size_t cause = 0; cause < SWB_LOSS_CAUSES; ++cause) {
        if (participant.lost_by[cause] == 0) continue;
        out += separator + std::string(kCauses[cause]) + "\":" + std::to_string(participant.lost_by[cause]);
        separator = ",\"";
    }
    out += "},\"patterns\":";
    append_json_string(out, row.patterns);
    out += "}\n";
}

}  // namespace

void add_ps_command(CLI::App& app, Tool& tool) {
    const auto json = std::make_shared<bool>(false);
    CLI::App* ps = app.add_subcommand("ps", "List who is on a bus");
    add_bus_option(*ps, tool.bus);
    ps->add_flag("--json", *json, "One JSON object a line");
    ps->footer(
        "Shows each process on the bus: its name, whether it is alive, since when, how many events wait\n"
        "in its inboxes, how many were lost to it, and what it is subscribed to.\n"
        "\n"
        "Examples:\n"
        "  swarmbus ps\n"
        "  swarmbus -b demo ps --json | jq -r 'select(.state != \"alive\").name'");
    ps->callback([json, &tool] {
        Output output;
        const std::vector<Row> rows = read_rows(chosen_bus(tool.bus));
        if (*json) {
            for (const Row& row : rows) append_json(output.text(), row);
        } else if (!rows.empty()) {
            append_table(output.text(), rows);
        }
        output.flush();
        tool.exit_status = kDone;
    });
}

}  // namespace swarmbus::tool
