// Reading events on a bus where anybody may publish anything.
#pragma once

#include <swarmbus/events.hpp>

namespace swarm {

// The payload of an event as its table, valid as long as the event; nullptr if the event is of another type, or its payload
// is not what its type has.
template <typename Table>
const Table* table_of(const swarmbus::Event& event) {
    try {
        return event.as<Table>();
    } catch (const swarmbus::Error& error) {
        if (error.code() != SWB_ERR_PAYLOAD) throw;
        return nullptr;
    }
}

}  // namespace swarm
