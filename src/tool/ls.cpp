// swarmbus ls: the buses of this machine. Looks only; nothing is created or joined.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <variant>

#include <swarmbus/swarmbus.hpp>

#include "src/tool/commands.hpp"
#include "src/tool/exit_status.hpp"
#include "src/tool/streams.hpp"
#include "src/tool/text.hpp"
#include "src/tool/timestamp.hpp"

namespace swarmbus::tool {
namespace {

struct ListedBus {
    std::string name;
    std::variant<swb_info, Error> found;
};

std::vector<ListedBus> list_buses() {
    std::vector<std::string> names;
    const auto add = [](const char* name, void* list) { static_cast<std::vector<std::string>*>(list)->emplace_back(name); };
    detail::check(swb_list(add, &names));
    std::vector<ListedBus> buses;
    for (const std::string& name : names) {
        swb_info info{};
        info.size = sizeof info;
        const swb_result result = swb_look(name.c_str(), &info);
        if (result == SWB_ERR_NO_BUS) continue;  // removed since it was listed
        if (result < 0) {
            buses.push_back({name, Error(result, swb_last_error())});
        } else {
            buses.push_back({name, info});
        }
    }
    return buses;
}

std::string memory_text(std::uint64_t bytes) {
    char text[32];
    if (bytes < 1024 * 1024) {
        std::snprintf(text, sizeof text, "%.0f KiB", static_cast<double>(bytes) / 1024);
    } else {
        std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / (1024 * 1024));
    }
    return text;
}

void append_table(std::string& out, const std::vector<ListedBus>& buses) {
    std::size_t width = 3;
    for (const ListedBus& bus : buses) width = std::max(width, width_of(printable(bus.name)));
    const auto append_name = [&](const std::string& name) {
        out += name;
        out.append(width - width_of(name), ' ');
    };
    append_name("BUS");
    out += "  PROCESSES  INBOXES  TYPES      MEMORY\n";
    for (const ListedBus& bus : buses) {
        append_name(printable(bus.name));
        if (const auto* error = std::get_if<Error>(&bus.found)) {
            out += "  " + printable(error->what()) + '\n';
            continue;
        }
        const auto& info = std::get<swb_info>(bus.found);
        char row[96];
        std::snprintf(row, sizeof row, "  %9u  %7u  %5u  %10s\n", info.participants, info.subscribers, info.types,
                      memory_text(info.resident_bytes).c_str());
        out += row;
    }
}

void append_json(std::string& out, const ListedBus& bus) {
    out += "{\"bus\":";
    append_json_string(out, bus.name);
    if (const auto* error = std::get_if<Error>(&bus.found)) {
        out += ",\"error\":\"" + std::string(error->name()) + "\",\"message\":";
        append_json_string(out, error->what());
    } else {
        const auto& info = std::get<swb_info>(bus.found);
        out += ",\"participants\":" + std::to_string(info.participants);
        out += ",\"inboxes\":" + std::to_string(info.subscribers);
        out += ",\"writers\":" + std::to_string(info.writers);
        out += ",\"types\":" + std::to_string(info.types);
        out += ",\"memory_bytes\":" + std::to_string(info.resident_bytes);
        out += ",\"slot_bytes\":" + std::to_string(info.slot_bytes);
        out += ",\"created\":\"" + utc_timestamp(info.created_ns) + '"';
    }
    out += "}\n";
}

}  // namespace

void add_ls_command(CLI::App& app, Tool& tool) {
    const auto json = std::make_shared<bool>(false);
    CLI::App* ls = app.add_subcommand("ls", "List the buses of this machine");
    ls->add_flag("--json", *json, "One JSON object a line");
    ls->footer(
        "Shows the living processes, inboxes, event types and memory of each bus. One that can't be\n"
        "read is listed with the reason.\n"
        "\n"
        "Examples:\n"
        "  swarmbus ls\n"
        "  swarmbus ls --json | jq -r 'select(.participants == 0).bus'");
    ls->callback([json, &tool] {
        Output output;
        const std::vector<ListedBus> buses = list_buses();
        if (*json) {
            for (const ListedBus& bus : buses) append_json(output.text(), bus);
        } else if (!buses.empty()) {
            append_table(output.text(), buses);
        }
        output.flush();
        tool.exit_status = kDone;
    });
}

}  // namespace swarmbus::tool
