// How a connection, or an attempt to make one, ended, and what that asks for. docs/gateway-client.md has the tables.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace swarmbus::remote {

enum class EndingClass : std::uint8_t {
    resume,    // nobody's fault: come back
    back_off,  // a failure: come back, later each time
    never,     // it would end the same way each time
};

struct Ending {
    EndingClass kind = EndingClass::back_off;
    std::string reason;                                         // for people; without control characters of the peer's
    std::optional<std::chrono::milliseconds> retry_after = {};  // as an answer of HTTP asked for
};

// The gateway closed with a code of WebSocket; `text` is what came with it. Code 0: the connection broke without one.
Ending ending_of_close(std::uint16_t code, std::string_view text);

// The gateway answered the request to speak WebSocket with a status other than 101. `retry_after`: that header, or empty.
Ending ending_of_status(unsigned status, std::string_view retry_after);

// There was no connection, or what was said on it could not be understood.
Ending ending_of_failure(std::string reason);

}  // namespace swarmbus::remote
