// Events and losses as lines: for people, and as JSON. The forms are described in docs/tool.md.
#pragma once

#include <memory>
#include <string>

#include <swarmbus/event.hpp>

namespace swarmbus::tool {

class EventLines {
public:
    virtual ~EventLines() = default;
    // Appends what was received: an event, losses, or both.
    virtual void append(std::string& out, const Event& event) = 0;
};

std::unique_ptr<EventLines> lines_for_people(bool colours);
std::unique_ptr<EventLines> json_lines();

}  // namespace swarmbus::tool
