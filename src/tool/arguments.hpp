// Values of the command line. What can't be read is a UsageError that names the option.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace swarmbus::tool {

// -b, --bus.
void add_bus_option(CLI::App& command, std::string& bus);
// The bus to use: the option, SWARMBUS_BUS, "default".
std::string chosen_bus(const std::string& option);

// A type or pattern as given; the error points at what is wrong with it.
void check_type(const std::string& type);
void check_patterns(const std::vector<std::string>& patterns);

// "2", "0.5", "500ms", "2s", "1.5m", "1h"; a bare number is in `unit`.
std::chrono::nanoseconds parse_duration(std::string_view option, std::string_view text, std::chrono::nanoseconds unit);

// "10", "0.5/s": events per second.
double parse_rate(std::string_view option, std::string_view text);

// 1 and more.
std::uint64_t parse_count(std::string_view option, std::string_view text);

}  // namespace swarmbus::tool
