// CloudEvents 1.0 in their JSON form, as events of a bus. What becomes of what: docs/cloudevents.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/types/json_document.hpp"

namespace swarmbus::core {

// What a bus takes of it. It gives an event its id and time itself, and has no place for other attributes.
struct CloudEvent {
    enum class Data { none, json, text, bytes };

    std::string type, source, subject;  // without a zero within them
    Data kind = Data::none;
    std::string_view data;  // JSON as it was written, or still to be checked if it came as base64
};

// For one thread; keeps its memory from one event to the next.
class CloudEventReader {
public:
    // Valid until the next call, as long as the text. Throws SWB_ERR_PAYLOAD with the attribute and what was expected,
    // SWB_ERR_TYPE_NAME if the type can't be one of a bus.
    const CloudEvent& read(std::string_view json);

private:
    JsonDocument document_;
    CloudEvent event_;
    std::string data_;
};

// The events of a batch (a list) as they were written; of every other text, itself. Throws SWB_ERR_PAYLOAD if it is no JSON.
std::vector<std::string_view> cloud_events_of(std::string_view json);

}  // namespace swarmbus::core
