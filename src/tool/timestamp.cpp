#include "src/tool/timestamp.hpp"

#include <time.h>

#include <cstdio>

namespace swarmbus::tool {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

std::string date_and_time(const tm& t) {
    char text[32];
    const std::size_t length = ::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &t);
    return {text, length};
}

}  // namespace

std::string local_timestamp(std::uint64_t unix_ns) {
    const auto seconds = static_cast<time_t>(unix_ns / kSecond);
    tm t{};
    ::localtime_r(&seconds, &t);
    const long minutes = t.tm_gmtoff / 60;
    const unsigned long apart = static_cast<unsigned long>(minutes < 0 ? -minutes : minutes);
    char rest[32];
    std::snprintf(rest, sizeof rest, ".%06u%c%02lu:%02lu", static_cast<unsigned>(unix_ns % kSecond / 1000), minutes < 0 ? '-' : '+',
                  apart / 60 % 100, apart % 60);
    return date_and_time(t) + rest;
}

}  // namespace swarmbus::tool
