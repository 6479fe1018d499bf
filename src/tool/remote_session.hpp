// A command's connection to a gateway: turns it, ends with the command, and tells people how it is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "src/tool/gateway_option.hpp"
#include "src/tool/interrupts.hpp"
#include "src/tool/streams.hpp"
#include "ws_gateway/client/gateway_client.hpp"

namespace swarmbus::tool {

// The time of the command was up while it waited for the gateway.
struct TimeUp {};

class RemoteSession {
public:
    // `output`: ends when its reader goes; may be null. Throws UsageError for what is no URL or token.
    RemoteSession(const GatewayOption& option, std::vector<std::string> patterns, const Output* output);

    remote::GatewayClient& client() noexcept { return client_; }
    // Turns the client until something happens, for a fifth of a second at most. Throws Ended when the command should end,
    // std::runtime_error when the gateway can't be used.
    void turn(Clock::time_point until);
    // What the gateway answers to a GET; nothing if it has nothing there. While it can't be reached it is asked again; throws TimeUp at
    // `end`.
    std::optional<std::string> fetch(const std::string& path, Clock::time_point end);

    // Says that the connection is back, if it was said to be lost.
    void tell_back(const std::string& how);
    // Times as in the manual, or shorter in tests.
    std::chrono::nanoseconds paced(std::chrono::nanoseconds time) const;
    // The last reason why there was no connection, for messages.
    std::string trouble() const;

private:
    void tell(const remote::Status& status);

    const double pace_;
    const std::string url_;
    const Output* const output_;
    bool was_live_ = false, is_lost_ = false, is_circuit_told_ = false;
    remote::GatewayClient client_;
};

}  // namespace swarmbus::tool
