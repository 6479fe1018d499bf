// RFC 3339, as the tool prints it.
#pragma once

#include <cstdint>
#include <string>

#include "src/clock/rfc3339.hpp"

namespace swarmbus::tool {

using core::utc_timestamp;

// "2026-11-26T14:03:22.123456+01:00", in the local time zone.
std::string local_timestamp(std::uint64_t unix_ns);

}  // namespace swarmbus::tool
