// Times as texts.
#pragma once

#include <cstdint>
#include <string>

namespace swarmbus::core {

// "2026-11-26T13:03:22.123456789Z"
std::string utc_timestamp(std::uint64_t unix_ns);

}  // namespace swarmbus::core
