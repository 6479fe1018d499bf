// Handles on a bus of a test's own, and its memory to look at and to damage.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/bus/handle.hpp"
#include "src/inbox/ring.hpp"
#include "tests/support/process_bus.hpp"
#include "tests/unit/private_segment.hpp"

namespace swarmbus::test {

using namespace swarmbus::core;

inline Options small_bus_options(const Limits& limits = kSmallBus) {
    Options options = read_options(nullptr);
    options.limits = limits;
    options.source = "test";
    return options;
}

inline Delivery publish(Handle& handle, std::string_view type, std::string_view payload) {
    Message message;
    message.payload = std::as_bytes(std::span(payload.data(), payload.size()));
    Delivery delivery;
    handle.writer().publish(*handle.event_type(type), message, delivery);
    return delivery;
}

// "type:payload" of every event that is there.
inline std::vector<std::string> receive_all(Handle& handle) {
    std::vector<std::string> events;
    for (;;) {
        swb_event event{};
        event.size = sizeof event;
        std::size_t count = 0;
        const Result result = handle.receive(0, &event, 1, count);
        if (result == SWB_LOST) events.push_back("lost " + std::to_string(event.lost));
        if (result != SWB_OK) return events;
        if (event.lost > 0) events.push_back("lost " + std::to_string(event.lost));
        events.push_back(std::string(event.type) + ":" + std::string(static_cast<const char*>(event.payload), event.payload_bytes));
    }
}

// The ring of an open inbox.
inline Ring sound_ring(Segment& segment, std::uint32_t inbox) {
    const swb_l_subscriber& entry = segment.subscriber(inbox);
    return Ring::in_block(segment.inbox(inbox), segment.open_block(entry.block_at, entry.block_bytes), entry.capacity,
                          segment.plan().slot_bytes);
}

}  // namespace swarmbus::test
