// Events as if they had been received, for tests of what is done with them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <swarmbus/events.hpp>

#include "metadata.hpp"

namespace swarm {

struct Received {
    std::string type{}, source = "agent-7", payload{};
    swarmbus::Encoding encoding = swarmbus::Encoding::text;
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
        raw.encoding = static_cast<std::uint32_t>(encoding);
        raw.time_ns = time_ns;
        raw.lost = raw.lost_by[SWB_LOSS_EVICTED] = evicted;
        return swarmbus::Event(raw);
    }
};

// One whose payload is a table of the standard events, as it is published. The rest can be set.
template <typename Object>
Received received_table(const Object& object, std::string source = "agent-7") {
    swarmbus::detail::Scratch scratch;
    const auto bytes = scratch.pack(object);
    return {.type = swarmbus::EventTypeOf<typename Object::TableType>::name,
            .source = std::move(source),
            .payload = {reinterpret_cast<const char*>(bytes.data()), bytes.size()},
            .encoding = swarmbus::Encoding::flatbuffers};
}

inline Received status_changed(const std::string& source, const std::string& status) {
    swarmbus::events::AgentStatusChangedT changed;
    changed.new_status = status;
    return received_table(changed, source);
}

// What an agent says that has lost so many events.
inline Received lost_events(const std::string& source, std::int64_t lost) {
    swarmbus::events::SystemWarningT warning;
    warning.metadata = metadata({{"lost", lost}});
    return received_table(warning, source);
}

}  // namespace swarm
