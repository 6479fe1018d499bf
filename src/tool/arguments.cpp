#include "src/tool/arguments.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

#include <swarmbus/swarmbus.hpp>

#include "src/tool/exit_status.hpp"
#include "src/tool/text.hpp"

namespace swarmbus::tool {
namespace {

constexpr std::size_t kWidestShown = 100;
constexpr double kLongestSeconds = 1e9;

using Check = swb_result(const char* text, std::size_t* position);

void check(const std::string& text, Check* check_text) {
    std::size_t position = 0;
    if (check_text(text.c_str(), &position) >= 0) return;
    std::string message = printable(swb_last_error());
    const std::string shown = printable(text);
    if (!shown.empty() && width_of(shown) <= kWidestShown) {
        message += "\n  " + shown + "\n  " + std::string(width_of(printable(text.substr(0, position))), ' ') + '^';
    }
    throw UsageError(message);
}

[[noreturn]] void refuse(std::string_view option, std::string_view text, const char* expected) {
    throw UsageError(std::string(option) + ": '" + printable(text) + "' is not " + expected);
}

// A finite number of at least 0 at the front of `text`, which is left with what follows it.
std::optional<double> take_number(std::string_view& text) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || !std::isfinite(number) || std::signbit(number)) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

}  // namespace

void add_bus_option(CLI::App& command, std::string& bus) {
    command.add_option("-b,--bus", bus, "Bus to use; else $SWARMBUS_BUS, else 'default'")
        ->type_name("NAME")
        ->check(CLI::Validator([](const std::string& name) { return name.empty() ? "the name is empty" : ""; }, ""));
}

std::string chosen_bus(const std::string& option) {
    if (!option.empty()) return option;
    const char* from_environment = std::getenv("SWARMBUS_BUS");
    return from_environment != nullptr && *from_environment != '\0' ? from_environment : "default";
}

void check_type(const std::string& type) { check(type, swb_check_type); }

void check_patterns(const std::vector<std::string>& patterns) {
    for (const std::string& pattern : patterns) check(pattern, swb_check_pattern);
}

std::chrono::nanoseconds parse_duration(std::string_view option, std::string_view text, std::chrono::nanoseconds unit) {
    struct Unit {
        std::string_view name;
        std::chrono::nanoseconds length;
    };
    static constexpr std::array<Unit, 4> kUnits = {Unit{"ms", std::chrono::milliseconds(1)}, Unit{"s", std::chrono::seconds(1)},
                                                   Unit{"m", std::chrono::minutes(1)}, Unit{"h", std::chrono::hours(1)}};
    std::string_view rest = text;
    const std::optional<double> number = take_number(rest);
    for (const Unit& known : kUnits) {
        if (rest == known.name) {
            unit = known.length;
            rest = {};
        }
    }
    const double ns = number.value_or(0) * static_cast<double>(unit.count());
    if (!number || !rest.empty() || ns > kLongestSeconds * 1e9) refuse(option, text, "a time such as 2, 0.5, 500ms or 1m");
    return std::chrono::nanoseconds(std::llround(ns));
}

double parse_rate(std::string_view option, std::string_view text) {
    std::string_view rest = text;
    const std::optional<double> number = take_number(rest);
    if (!number || *number <= 0 || (!rest.empty() && rest != "/s")) refuse(option, text, "a rate such as 10 or 0.5/s");
    return *number;
}

std::uint64_t parse_count(std::string_view option, std::string_view text) {
    std::uint64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || end != text.data() + text.size() || count == 0) refuse(option, text, "a whole number from 1");
    return count;
}

}  // namespace swarmbus::tool
