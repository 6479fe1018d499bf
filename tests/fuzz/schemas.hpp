// The schemas of the targets.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "everything_bfbs_generated.h"
#include <swarmbus/events_bfbs_generated.h>

#include "src/types/payload_to_json.hpp"
#include "src/types/schema.hpp"

namespace swarmbus::fuzzing {

// tests/types/everything.fbs: all that a schema can have.
inline const core::Schema& everything() {
    using Binary = ::everything::EventBinarySchema;
    static const core::Schema schema(std::as_bytes(std::span(Binary::data(), Binary::size())));
    return schema;
}

// A standard event.
inline const core::Schema& task_failed() {
    using Binary = swarmbus::events::AgentCreatedBinarySchema;
    static const core::Schema schema(std::as_bytes(std::span(Binary::data(), Binary::size())), "swarmbus.events.TaskFailed");
    return schema;
}

// Of a payload that was verified. Throws as append_json() does.
inline std::string json_of(const core::Schema& schema, std::span<const std::byte> payload) {
    core::JsonText json;
    core::append_json(json, schema, payload);
    return std::string(json.view());
}

}  // namespace swarmbus::fuzzing
