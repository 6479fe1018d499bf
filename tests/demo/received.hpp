// Events as if they had been received, for tests of what is done with them.
#pragma once

#include <cstdint>
#include <string>

#include <swarmbus/swarmbus.hpp>

namespace swarm {

struct Received {
    std::string type{}, source = "agent-7", payload{};
    std::uint64_t time_ns = 0;
    std::uint64_t evicted = 0;

    swarmbus::Event event() const {
        swb_event raw{};
        raw.size = sizeof raw;
        raw.type = type.c_str();
        raw.source = source.c_str();
        raw.subject = "";
        raw.payload = payload.data();
        raw.payload_bytes = payload.size();
        raw.time_ns = time_ns;
        raw.lost = raw.lost_by[SWB_LOSS_EVICTED] = evicted;
        return swarmbus::Event(raw);
    }
};

}  // namespace swarm
