// Who is on the bus, as JSON.
#pragma once

#include <string>

#include "ws_gateway/delivery/token_bucket.hpp"

namespace swarmbus::gateway {

// Looking takes a tenth of a second when somebody does not seem to be alive, so that the answer is good for a second.
class Participants {
public:
    explicit Participants(std::string bus) : bus_(std::move(bus)) {}

    // {"participants":[{"name":…,"pid":…,"state":…,"since":…,"waiting":…,"lost":…,"patterns":…}]}. Throws swarmbus::Error.
    const std::string& json(Clock::time_point now);

private:
    const std::string bus_;
    std::string json_;
    Clock::time_point looked_at_{};
};

}  // namespace swarmbus::gateway
