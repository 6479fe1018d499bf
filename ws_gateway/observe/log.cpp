#include "ws_gateway/observe/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

#include "src/tool/text.hpp"

namespace swarmbus::gateway {
namespace {

bool as_json = false;

void write(spdlog::level::level_enum level, std::string_view part, std::string_view message, const LogFields& fields) {
    if (!spdlog::should_log(level)) return;
    std::string text;
    if (as_json) {
        text += "\"part\":";
        tool::append_json_string(text, part);
        text += ",\"message\":";
        tool::append_json_string(text, message);
        for (const auto& [name, value] : fields) {
            text += ',';
            tool::append_json_string(text, name);
            text += ':';
            tool::append_json_string(text, value);
        }
    } else {
        text += std::string(part) + ": " + tool::printable(message);
        for (const auto& [name, value] : fields) text += " " + std::string(name) + "=" + tool::printable(value);
    }
    spdlog::log(level, "{}", text);
}

}  // namespace

void start_log(const std::string& format, const std::string& level) {
    as_json = format == "json";
    auto logger = std::make_shared<spdlog::logger>("gateway", std::make_shared<spdlog::sinks::stderr_color_sink_st>());
    logger->set_pattern(as_json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l",%v})" : "%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v",
                        as_json ? spdlog::pattern_time_type::utc : spdlog::pattern_time_type::local);
    logger->set_level(spdlog::level::from_str(level == "error" ? "err" : level));
    logger->flush_on(spdlog::level::debug);
    spdlog::set_default_logger(std::move(logger));
}

void log_debug(std::string_view part, std::string_view message, const LogFields& fields) {
    write(spdlog::level::debug, part, message, fields);
}
void log_info(std::string_view part, std::string_view message, const LogFields& fields) {
    write(spdlog::level::info, part, message, fields);
}
void log_warning(std::string_view part, std::string_view message, const LogFields& fields) {
    write(spdlog::level::warn, part, message, fields);
}
void log_error(std::string_view part, std::string_view message, const LogFields& fields) {
    write(spdlog::level::err, part, message, fields);
}

}  // namespace swarmbus::gateway
