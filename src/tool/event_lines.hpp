// Events and losses as lines: for people, and as JSON. The forms are described in docs/tool.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <swarmbus/event.hpp>

namespace swarmbus::tool {

enum class EventFormat { text, json, cloudevents };

class EventLines {
public:
    virtual ~EventLines() = default;
    // Appends what was received: an event, losses, or both. `omitted_bytes`: of a payload that a gateway left out.
    virtual void append(std::string& out, const Event& event, std::uint64_t omitted_bytes = 0) = 0;
};

// The payload of an event that is a FlatBuffer or a FlexBuffer as JSON; nothing if it can't be read.
using PayloadToJson = std::function<std::optional<std::string>(const Event&)>;

std::unique_ptr<EventLines> lines_for_people(bool colours, PayloadToJson to_json);
std::unique_ptr<EventLines> json_lines(PayloadToJson to_json);
// CloudEvents, which say nothing of losses: those are complained about.
std::unique_ptr<EventLines> cloud_event_lines(std::function<std::string(const Event&)> to_cloudevent);

}  // namespace swarmbus::tool
