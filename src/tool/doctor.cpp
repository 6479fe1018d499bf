// swarmbus doctor: what is wrong with a bus, and what to do.
#include <memory>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "src/tool/arguments.hpp"
#include "src/tool/commands.hpp"
#include "src/tool/exit_status.hpp"
#include "src/tool/streams.hpp"
#include "src/tool/text.hpp"

namespace swarmbus::tool {
namespace {

struct DoctorOptions {
    bool repair = false, json = false;
};

struct Finding {
    std::string what, who, detail, advice;
    std::uint32_t pid;
    bool repaired, other_bus;
};

void append_text(std::string& out, const Finding& finding) {
    out += printable(finding.what) + ": " + printable(finding.who) + "\n    " + printable(finding.detail) + "\n    " +
           (finding.repaired ? "repaired" : "to do: " + printable(finding.advice)) + '\n';
}

void append_json(std::string& out, const Finding& finding) {
    const auto append = [&out](const char* key, const std::string& text) {
        out += key;
        append_json_string(out, text);
    };
    append("{\"what\":", finding.what);
    append(",\"who\":", finding.who);
    append(",\"detail\":", finding.detail);
    append(",\"advice\":", finding.advice);
    out += ",\"pid\":" + std::to_string(finding.pid) + ",\"repaired\":" + (finding.repaired ? "true" : "false");
    out += ",\"other_bus\":" + std::string(finding.other_bus ? "true}\n" : "false}\n");
}

int run(const DoctorOptions& options, const std::string& bus) {
    Output output;
    bool healthy = true, well = true;  // with nothing to find, and with nothing left to do
    std::vector<Finding> findings;
    const auto add = [](const swb_finding* f, void* list) {
        static_cast<std::vector<Finding>*>(list)->push_back(
            {f->what, f->who, f->detail, f->advice, f->pid, f->repaired != 0, f->other_bus != 0});
    };
    const swb_result result = swb_doctor(bus.c_str(), options.repair ? 1 : 0, add, &findings);
    for (const Finding& finding : findings) {
        options.json ? append_json(output.text(), finding) : append_text(output.text(), finding);
        healthy = healthy && finding.other_bus;
        well = well && (finding.repaired || finding.other_bus);
    }
    if (healthy && result == SWB_OK && !options.json) output.text() += "bus '" + bus + "' is well\n";
    output.flush();
    detail::check(result);  // behind what was found all the same
    return well ? kDone : kFailure;
}

}  // namespace

void add_doctor_command(CLI::App& app, Tool& tool) {
    const auto options = std::make_shared<DoctorOptions>();
    CLI::App* doctor = app.add_subcommand("doctor", "Find out what is wrong with a bus");
    add_bus_option(*doctor, tool.bus);
    doctor->add_flag("--repair", options->repair, "Mend what can be mended, by joining the bus once");
    doctor->add_flag("--json", options->json, "One JSON object a line");
    doctor->footer(
        "Says what is not as it should be, who is concerned and what to do: dead participants, stuck claims,\n"
        "orphaned arenas, stopped processes that hold something, processes that use a removed bus of that\n"
        "name, directories that removed buses left. Without --repair it reads only.\n"
        "\n"
        "Exit status: 0 if all is well with the bus (or repaired), 1 if something is left to do.\n"
        "\n"
        "Examples:\n"
        "  swarmbus doctor\n"
        "  swarmbus -b demo doctor --repair");
    doctor->callback([options, &tool] { tool.exit_status = run(*options, chosen_bus(tool.bus)); });
}

}  // namespace swarmbus::tool
