// What the gateway writes to standard error: lines of text, or JSON objects.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace swarmbus::gateway {

using LogFields = std::vector<std::pair<std::string_view, std::string>>;

// `format`: "text" or "json"; `level`: the least that is written.
void start_log(const std::string& format, const std::string& level);

// `part` of the gateway that has something to say, and what else belongs to it.
void log_debug(std::string_view part, std::string_view message, const LogFields& fields = {});
void log_info(std::string_view part, std::string_view message, const LogFields& fields = {});
void log_warning(std::string_view part, std::string_view message, const LogFields& fields = {});
void log_error(std::string_view part, std::string_view message, const LogFields& fields = {});

}  // namespace swarmbus::gateway
