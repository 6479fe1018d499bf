// The schemas of a bus behind a gateway, and events as JSON by them: what swarmbus::Bus does on a local one.
//
// Asks the gateway when a schema is needed, and again for each change of it: the list of types is never older than kFresh.
#pragma once

#include <swarmbus.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "src/types/cloud_event_writer.hpp"
#include "src/types/registry.hpp"

namespace swarmbus::remote {

class RemoteTypes {
public:
    static constexpr std::chrono::seconds kFresh{10};

    // The body of the gateway's answer to a GET; nothing if it has nothing there. May throw, which ends the call that needed it.
    using Fetch = std::function<std::optional<std::string>(const std::string& path)>;

    explicit RemoteTypes(Fetch fetch) : fetch_(std::move(fetch)) {}

    // Whether the bus has a schema for the type.
    bool has(const std::string& type);
    // The payload of a FlatBuffer or a FlexBuffer; nothing if it can't be read.
    std::optional<std::string> to_json(const swb_event& event);
    // As a CloudEvent, in one line.
    std::string to_cloudevent(const swb_event& event);

private:
    using Clock = std::chrono::steady_clock;
    struct Type {
        core::Registration registration;
        std::shared_ptr<const core::RegisteredType> registered;  // null: its schema was not asked for yet
    };

    Type* find(const std::string& type);
    // What is registered for a FlatBuffer's type; nullptr if nothing is, or no schema.
    const core::RegisteredType* registered_for(const swb_event& event);
    void refresh();

    const Fetch fetch_;
    std::map<std::string, Type> types_;
    core::PrivateCopy copy_;
    core::CloudEventWriter cloud_events_;
    std::optional<Clock::time_point> asked_at_;
};

}  // namespace swarmbus::remote
