// Where a gateway is: ws://HOST[:PORT][/PATH].
#pragma once

#include <cstdint>
#include <string>

namespace swarmbus::remote {

struct GatewayUrl {
    std::string host;  // a name, or an address without brackets
    std::uint16_t port = 80;
    std::string path;  // in front of the gateway's own: "" or "/bus"

    // As the header Host has it.
    std::string authority() const;
    // "ws://HOST:PORT/PATH"
    std::string text() const;
};

// Throws std::invalid_argument that says what is wrong.
GatewayUrl parse_gateway_url(const std::string& text);

}  // namespace swarmbus::remote
