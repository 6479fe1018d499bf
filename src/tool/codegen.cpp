// swarmbus codegen: source code for the event types of a bus, by FlatBuffers' compiler.
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>

#include <swarmbus/swarmbus.hpp>

#include "schemas/value_text.hpp"
#include "src/tool/arguments.hpp"
#include "src/tool/commands.hpp"
#include "src/tool/exit_status.hpp"
#include "src/tool/streams.hpp"
#include "src/tool/text.hpp"
#include "src/types/schema.hpp"
#include "src/types/schema_print.hpp"
#include "src/types/type_names.hpp"

namespace swarmbus::tool {
namespace {

namespace fs = std::filesystem;

struct CodegenOptions {
    std::string language, directory = ".", name = "bus_events";
    std::vector<std::string> types;
};

struct Language {
    std::vector<std::string> flatc;  // its options
    bool value_too;                  // swarmbus.Value is generated; else it is included
    std::string names_file;          // where constants go; "" is the name
    std::string (*names)(std::span<const core::NamedType> types, const std::string& name);
};

const std::map<std::string, Language>& languages() {
    using Types = std::span<const core::NamedType>;
    static const std::map<std::string, Language> kLanguages = {
        // As <swarmbus/events.hpp> is made.
        {"c++",
         {{"--cpp", "--cpp-std", "c++17", "--scoped-enums", "--gen-object-api", "--include-prefix", "swarmbus"},
          false,
          ".hpp",
          [](Types types, const std::string& name) { return core::type_names_in_cpp(types, '"' + name + "_generated.h\""); }}},
        {"python",
         {{"--python", "--gen-object-api"},
          true,
          ".py",
          [](Types types, const std::string&) { return core::type_names_in_python(types); }}},
        {"ts",
         {{"--ts", "--gen-object-api"},
          true,
          ".ts",
          [](Types types, const std::string&) { return core::type_names_in_typescript(types); }}},
    };
    return kLanguages;
}

// A directory that is gone with the object.
class Scratch {
public:
    Scratch() : path_(fs::temp_directory_path() / "swarmbus-codegen-XXXXXX") {
        std::string path = path_.string();
        if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("'" + path + "' can't be made: " + std::strerror(errno));
        path_ = path;
    }
    ~Scratch() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    const fs::path& path() const noexcept { return path_; }

private:
    fs::path path_;
};

void write(const fs::path& path, std::string_view text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    if (!file.flush()) throw std::runtime_error("'" + path.string() + "' can't be written");
}

void run_flatc(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "flatc");
    std::vector<char*> words;
    for (std::string& argument : arguments) words.push_back(argument.data());
    words.push_back(nullptr);
    pid_t child = 0;
    if (const int error = ::posix_spawnp(&child, "flatc", nullptr, nullptr, words.data(), environ); error != 0) {
        throw std::runtime_error(error == ENOENT ? "codegen needs flatc, the compiler of FlatBuffers (Debian: flatbuffers-compiler)"
                                                 : std::string("flatc can't be started: ") + std::strerror(error));
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    if (status != 0) throw std::runtime_error("flatc failed; what it says is above");
}

// Puts what `from` holds into `to`, and prints the path of each file.
void put_files(const fs::path& from, const fs::path& to, std::string& printed) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(from)) {
        const fs::path target = to / fs::relative(entry.path(), from);
        if (entry.is_directory()) {
            fs::create_directories(target);
        } else {
            fs::create_directories(target.parent_path());
            fs::copy_file(entry.path(), target, fs::copy_options::overwrite_existing);
            printed += printable(target.lexically_normal().string()) + '\n';
        }
    }
}

std::vector<RegisteredType> chosen_types(Bus& bus, const CodegenOptions& options) {
    std::vector<RegisteredType> types;
    for (const std::string& type : options.types) {
        check_type(type);
        types.push_back(bus.type(type));
    }
    if (!types.empty()) return types;
    types = bus.types();
    // C++ has these already; made once more they would be defined twice.
    if (options.language == "c++")
        std::erase_if(types, [](const RegisteredType& type) { return type.root.starts_with("swarmbus.events."); });
    if (types.empty()) throw std::runtime_error("the bus has only the standard events, which are in <swarmbus/events.hpp>");
    return types;
}

int run(const CodegenOptions& options, const std::string& bus_name) {
    if (options.name.empty() || options.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string::npos) {
        throw UsageError("--name: '" + printable(options.name) + "' has other characters than a-z, 0-9 and _");
    }
    Options open;
    open.open_mode = SWB_OPEN_ONLY;
    Bus bus(bus_name, open);
    std::vector<std::unique_ptr<const core::Schema>> schemas;
    std::vector<const core::Schema*> all;
    std::vector<core::NamedType> names;
    for (const RegisteredType& type : chosen_types(bus, options)) {
        all.push_back(schemas.emplace_back(std::make_unique<core::Schema>(type.schema, type.root)).get());
        names.push_back({type.name, type.root});
    }

    const Language& language = languages().at(options.language);
    const Scratch scratch;
    const fs::path made = scratch.path() / "made", schema = scratch.path() / (options.name + ".fbs"), value = scratch.path() / "value.fbs";
    fs::create_directory(made);
    const std::string text = core::fbs_of(all);
    write(schema, text);
    write(value, core::kValueSchemaText);
    std::vector<std::string> arguments = language.flatc;
    arguments.insert(arguments.end(), {"-o", made.string(), schema.string()});
    if (language.value_too && text.starts_with("include")) arguments.push_back(value.string());
    run_flatc(std::move(arguments));
    write(made / (options.name + language.names_file), language.names(names, options.name));
    Output output;
    put_files(made, options.directory, output.text());
    output.flush();
    return kDone;
}

}  // namespace

void add_codegen_command(CLI::App& app, Tool& tool) {
    const auto options = std::make_shared<CodegenOptions>();
    CLI::App* codegen = app.add_subcommand("codegen", "Write source code for the event types of a bus");
    codegen->add_option("TYPE", options->types, "Types of events; all that have a schema if left out")->type_name("");
    add_bus_option(*codegen, tool.bus);
    codegen->add_option("--lang", options->language, "c++, python or ts")
        ->required()
        ->type_name("NAME")
        ->check(CLI::IsMember({"c++", "python", "ts"}).description(""));
    codegen->add_option("-o,--output", options->directory, "Directory to write to (default: this one)")->type_name("DIR");
    codegen->add_option("--name", options->name, "Of the files that are not named by the schema (default bus_events)")->type_name("NAME");
    codegen->footer(
        "Prints the names of the files. They are what flatc makes of the schemas that the bus carries, and\n"
        "constants for the names of the types. For C++, standard events are left out: <swarmbus/events.hpp>\n"
        "has them.\n"
        "\n"
        "Examples:\n"
        "  swarmbus codegen --lang c++ -o include/shop\n"
        "  swarmbus codegen --lang python agent.created task.failed -o generated\n"
        "  swarmbus codegen --lang ts -o src/events");
    codegen->callback([options, &tool] { tool.exit_status = run(*options, chosen_bus(tool.bus)); });
}

}  // namespace swarmbus::tool
