#include "src/tool/schema_lint.hpp"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <swarmbus/error.hpp>

#include "src/error.hpp"
#include "src/routing/name.hpp"
#include "src/tool/exit_status.hpp"
#include "src/tool/input.hpp"
#include "src/tool/streams.hpp"
#include "src/tool/text.hpp"
#include "src/types/schema.hpp"
#include "src/types/schema_text.hpp"
#include "src/types/type_names.hpp"

namespace swarmbus::tool {
namespace {

std::vector<std::string> findings_in(const std::string& path) {
    const std::string contents = contents_of(path);
    std::vector<std::byte> compiled;
    std::span<const std::byte> binary = std::as_bytes(std::span(contents));
    if (!core::is_binary_schema(binary)) binary = compiled = core::binary_of_text(contents);
    const core::Schema schema(binary, {}, core::Schema::Root::unneeded);
    std::vector<std::string> findings;
    std::map<std::string, std::string> tables;  // by type
    for (const core::NamedType& named : core::named_types(schema)) {
        const auto [before, is_first] = tables.emplace(named.type, named.table);
        if (!is_first) findings.push_back("tables " + before->second + " and " + named.table + " are both published under " + named.type);
        if (const auto fault = core::find_fault_in_type(named.type))
            findings.push_back("table " + named.table + ": " + named.type + ": " + fault->what);
        if (std::string unusual = core::unusual_type_name(named.type); !unusual.empty()) {
            findings.push_back("table " + named.table + ": " + unusual);
        }
    }
    if (core::named_types(schema).empty()) findings.push_back("no table names a type, as in: table T (event: \"domain.entity.action\")");
    return findings;
}

int lint(const std::vector<std::string>& paths) {
    int status = kDone;
    Output output;
    for (const std::string& path : paths) {
        std::vector<std::string> findings;
        try {
            findings = findings_in(path);
        } catch (const core::Error& e) {
            findings.push_back(e.what());
        }
        if (!findings.empty()) status = kFailure;
        for (const std::string& finding : findings) output.text() += printable(path + ": " + finding) + '\n';
    }
    output.flush();
    return status;
}

}  // namespace

void add_schema_lint(CLI::App& schema, Tool& tool) {
    const auto paths = std::make_shared<std::vector<std::string>>();
    CLI::App* command = schema.add_subcommand("lint", "Say what is wrong or unusual in files of schemas");
    command->add_option("FILE", *paths, "Files .fbs or .bfbs")->required()->type_name("");
    command->footer(
        "Exit code 1 if there is anything to say: a file that is no schema, no table that names a type, or a type\n"
        "that is not called domain.entity.action or domain.action. Needs no bus.");
    command->callback([paths, &tool] { tool.exit_status = lint(*paths); });
}

}  // namespace swarmbus::tool
