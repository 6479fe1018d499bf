// swarmbus schema: the schemas that a bus carries for its event types.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>

#include <swarmbus/swarmbus.hpp>

#include "src/tool/arguments.hpp"
#include "src/tool/commands.hpp"
#include "src/tool/exit_status.hpp"
#include "src/tool/input.hpp"
#include "src/tool/schema_lint.hpp"
#include "src/tool/streams.hpp"
#include "src/tool/text.hpp"
#include "src/tool/timestamp.hpp"
#include "src/types/schema.hpp"
#include "src/types/schema_print.hpp"
#include "src/types/type_names.hpp"

namespace swarmbus::tool {
namespace {

std::string hash_text(std::uint64_t hash) {
    char text[17];
    std::snprintf(text, sizeof text, "%016lx", static_cast<unsigned long>(hash));
    return text;
}

// A bus that is there: looking at schemas creates none.
Bus open_bus(const std::string& name, std::uint32_t mode) {
    Options options;
    options.open_mode = mode;
    return Bus(name, options);
}

void append_table(std::string& out, const std::vector<RegisteredType>& types) {
    std::size_t width = 4;
    for (const RegisteredType& type : types) width = std::max(width, width_of(printable(type.name)));
    const auto append_name = [&](const std::string& name) {
        out += name;
        out.append(width - width_of(name), ' ');
    };
    append_name("TYPE");
    out += "  VERSION  SINCE                HASH              TABLE\n";
    for (const RegisteredType& type : types) {
        append_name(printable(type.name));
        char row[96];
        std::snprintf(row, sizeof row, "  %7u  %.19s  %s  ", type.version, local_timestamp(type.registered_ns).c_str(),
                      hash_text(type.hash).c_str());
        out += row + printable(type.root) + '\n';
    }
}

void append_json(std::string& out, const RegisteredType& type) {
    out += "{\"type\":";
    append_json_string(out, type.name);
    out += ",\"version\":" + std::to_string(type.version) + ",\"since\":\"" + utc_timestamp(type.registered_ns) + "\",\"hash\":\"" +
           hash_text(type.hash) + "\",\"table\":";
    append_json_string(out, type.root);
    out += ",\"schema_bytes\":" + std::to_string(type.schema.size()) + "}\n";
}

void add_ls(CLI::App& schema, Tool& tool) {
    const auto json = std::make_shared<bool>(false);
    CLI::App* ls = schema.add_subcommand("ls", "List the types that have a schema");
    add_bus_option(*ls, tool.bus);
    ls->add_flag("--json", *json, "One JSON object a line");
    ls->callback([json, &tool] {
        Output output;
        const std::vector<RegisteredType> types = open_bus(chosen_bus(tool.bus), SWB_OPEN_ONLY).types();
        if (*json) {
            for (const RegisteredType& type : types) append_json(output.text(), type);
        } else {
            append_table(output.text(), types);
        }
        output.flush();
        tool.exit_status = kDone;
    });
}

struct ShowOptions {
    std::string type;
    bool fbs = true, bfbs = false, json_schema = false;
};

void add_show(CLI::App& schema, Tool& tool) {
    const auto options = std::make_shared<ShowOptions>();
    CLI::App* show = schema.add_subcommand("show", "Print the schema of a type");
    show->add_option("TYPE", options->type, "Type of events, such as agent.created")->required()->type_name("");
    add_bus_option(*show, tool.bus);
    show->add_flag("--fbs", options->fbs, "As text, in the language of FlatBuffers (default)");
    CLI::Option* const bfbs = show->add_flag("--bfbs", options->bfbs, "As binary schema, for flatc");
    show->add_flag("--json-schema", options->json_schema, "As JSON Schema of the payload as JSON")->excludes(bfbs);
    show->callback([options, &tool] {
        check_type(options->type);
        Output output;
        const RegisteredType type = open_bus(chosen_bus(tool.bus), SWB_OPEN_ONLY).type(options->type);
        if (options->bfbs) {
            output.text().assign(reinterpret_cast<const char*>(type.schema.data()), type.schema.size());
        } else {
            const core::Schema parsed(type.schema, type.root);
            output.text() = options->json_schema ? core::json_schema_of(parsed) + "\n" : core::fbs_of(parsed);
        }
        output.flush();
        tool.exit_status = kDone;
    });
}

struct RegisterOptions {
    std::string file, type, root;
};

void add_register(CLI::App& schema, Tool& tool) {
    const auto options = std::make_shared<RegisterOptions>();
    CLI::App* reg = schema.add_subcommand("register", "Register the schemas of a file");
    reg->add_option("FILE", options->file, "A .fbs or .bfbs file")->required()->type_name("");
    add_bus_option(*reg, tool.bus);
    CLI::Option* const type = reg->add_option("--type", options->type, "Register its root table for this type")->type_name("TYPE");
    reg->add_option("--root", options->root, "Register this table instead, named with its namespaces")->type_name("TABLE")->needs(type);
    reg->footer(
        "Without --type every table is registered that names its type:\n"
        "  table OrderPlaced (event: \"shop.order.placed\") { order_id:string; }\n"
        "What only adds to a registered schema takes its place; what changes it is refused.");
    reg->callback([options, &tool] {
        const std::string contents = contents_of(options->file);
        Bus bus = open_bus(chosen_bus(tool.bus), 0);
        std::set<std::string> known;
        for (const RegisteredType& type : bus.types()) known.insert(type.name);
        if (!options->type.empty()) {
            check_type(options->type);
            bus.register_type(options->type, contents, options->root);
        } else {
            bus.register_types(contents);
        }
        for (const RegisteredType& type : bus.types()) {
            const std::string unusual = core::unusual_type_name(type.name);
            if (!known.contains(type.name) && !unusual.empty()) complain("warning: " + unusual);
        }
        tool.exit_status = kDone;
    });
}

}  // namespace

void add_schema_command(CLI::App& app, Tool& tool) {
    CLI::App* schema = app.add_subcommand("schema", "List, print, register and check the schemas of event types");
    schema->require_subcommand(1);
    add_ls(*schema, tool);
    add_show(*schema, tool);
    add_register(*schema, tool);
    add_schema_lint(*schema, tool);
    schema->footer(
        "Examples:\n"
        "  swarmbus schema ls\n"
        "  swarmbus schema show agent.status.changed\n"
        "  swarmbus schema show task.failed --json-schema | jq .\n"
        "  swarmbus schema register orders.fbs\n"
        "  swarmbus schema lint orders.fbs");
}

}  // namespace swarmbus::tool
