// RFC 3339.
#pragma once

#include <cstdint>
#include <string>

namespace swarmbus::tool {

// "2026-11-26T13:03:22.123456789Z"
std::string utc_timestamp(std::uint64_t unix_ns);

// "2026-11-26T14:03:22.123456+01:00", in the local time zone.
std::string local_timestamp(std::uint64_t unix_ns);

}  // namespace swarmbus::tool
