#include "src/clock/rfc3339.hpp"

#include <time.h>

#include <cstdio>

namespace swarmbus::core {

std::string utc_timestamp(std::uint64_t unix_ns) {
    constexpr std::uint64_t kSecond = 1'000'000'000;
    const auto seconds = static_cast<time_t>(unix_ns / kSecond);
    tm t{};
    ::gmtime_r(&seconds, &t);
    char text[48];
    const std::size_t length = ::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &t);
    std::snprintf(text + length, sizeof text - length, ".%09uZ", static_cast<unsigned>(unix_ns % kSecond));
    return text;
}

}  // namespace swarmbus::core
