// What a client gets from its gateway, in order.
#pragma once

#include <swarmbus.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "ws_gateway/client/message.hpp"
#include "ws_gateway/journal/cursor.hpp"

namespace swarmbus::remote {

using gateway::Cursor;

// An event as it was on the bus.
struct RemoteEvent {
    swb_event event;                            // points into `bytes`; tells no losses
    std::uint64_t offset = 0;                   // in the gateway's journal
    std::uint64_t omitted_bytes = 0;            // of a payload that was too large for the gateway; it is empty then
    bool is_of_snapshot = false;                // the last one of its type and subject, as it was at the snapshot's cursor
    std::shared_ptr<const MessageBytes> bytes;  // keeps what it shows
};

// Events that match were missed in front of what follows.
struct Gap {
    enum class Cause : std::uint8_t { slow, bus, bus_reopened };
    Cause cause = Cause::slow;
    std::uint64_t missed = 0;
    std::array<std::uint64_t, SWB_LOSS_CAUSES> lost_by{};  // with the cause `bus`
};

// The gateway can't give what was missed while there was no connection: what the client knows is out of date.
struct Reset {
    enum class Reason : std::uint8_t { none, epoch, expired, uncovered, ahead };
    Reason reason = Reason::none;
};

// All that was missed while there was no connection has come: so many events.
struct CaughtUp {
    std::uint64_t events = 0;
};

// What became of something that was published.
struct Published {
    std::int64_t id = 0;
    std::uint64_t sequence = 0;
    std::uint32_t delivered = 0, dropped = 0;
};
struct PublishRefused {
    std::int64_t id = 0;
    std::string code, message;
};
// The connection ended before the answer came: it may have been published, or not.
struct PublishUnanswered {
    std::int64_t id = 0;
};

using Received = std::variant<RemoteEvent, Gap, Reset, CaughtUp, Published, PublishRefused, PublishUnanswered>;

// For people: what a reset means.
const char* meaning_of(Reset::Reason reason) noexcept;

}  // namespace swarmbus::remote
