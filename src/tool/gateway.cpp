// swarmbus gateway: runs swarmbus-gateway, which is a program of its own.
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "src/tool/commands.hpp"

namespace swarmbus::tool {
namespace {

constexpr const char* kProgram = "swarmbus-gateway";

// Beside this program, or else wherever the shell would find it.
[[noreturn]] void run_gateway(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), kProgram);
    std::vector<char*> words;
    for (std::string& argument : arguments) words.push_back(argument.data());
    words.push_back(nullptr);
    std::error_code ignored;
    const std::filesystem::path here = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
    ::execv((here / kProgram).c_str(), words.data());
    ::execvp(kProgram, words.data());
    throw std::runtime_error(std::string(kProgram) + " can't be run: " + std::strerror(errno) +
                             "; is it installed beside this program, or in PATH?");
}

}  // namespace

void add_gateway_command(CLI::App& app, Tool& tool) {
    CLI::App* const gateway = app.add_subcommand("gateway", "Show a bus in browsers (runs swarmbus-gateway; its options follow)");
    gateway->prefix_command();
    gateway->set_help_flag();  // it has its own
    gateway->callback([gateway, &tool] {
        std::vector<std::string> arguments = gateway->remaining();
        if (!tool.bus.empty()) arguments.insert(arguments.begin(), {"--bus", tool.bus});
        run_gateway(std::move(arguments));
    });
}

}  // namespace swarmbus::tool
