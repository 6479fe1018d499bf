// Where events are published: on a bus of this machine, or by a gateway.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <swarmbus/bus.hpp>

#include "src/tool/gateway_option.hpp"

namespace swarmbus::tool {

// Calls throw Error, as those of a Bus do.
class PublishTarget {
public:
    virtual ~PublishTarget() = default;
    // Whether there is a schema for the type.
    virtual bool has_type(const std::string& type) = 0;
    virtual Delivery publish(const std::string& type, const Message& message) = 0;
    virtual Delivery publish_json(const std::string& type, std::string_view json, const Message& message) = 0;
    virtual Delivery publish_cloudevent(std::string_view json) = 0;
};

std::unique_ptr<PublishTarget> bus_target(const std::string& bus, const Options& options);
// `source`: who publishes, where a message does not say it.
std::unique_ptr<PublishTarget> gateway_target(const GatewayOption& gateway, const std::string& source);

}  // namespace swarmbus::tool
