// Numbers for people.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

namespace swarm {

// "1,234,567"
inline std::string with_commas(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
    return text;
}

// "1.5"
inline std::string one_decimal(double number) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", number);
    return text;
}

// "1.5 s"
inline std::string seconds_text(std::chrono::duration<double> duration) { return one_decimal(duration.count()) + " s"; }

}  // namespace swarm
