// What the gateway says to its clients, whatever the form (docs/gateway-protocol.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ws_gateway/delivery/batch.hpp"
#include "ws_gateway/journal/cursor.hpp"
#include "ws_gateway/journal/journal.hpp"

namespace swarmbus::gateway {

enum class Resume : std::uint8_t { live, recovered, reset };
enum class ResetReason : std::uint8_t { none, epoch, expired, uncovered, ahead };

struct HelloMessage {
    std::string_view server, bus;
    Cursor cursor;
    std::uint32_t heartbeat_ms = 0, message_bytes = 0, patterns = 0;
    bool publish = false;
};

struct SubscribedMessage {
    std::optional<std::int64_t> id;
    std::vector<std::string> patterns;
    Resume resume = Resume::live;
    ResetReason reason = ResetReason::none;
    std::optional<Cursor> cursor;  // nothing if a snapshot follows
};

// A part of a snapshot: encoded events.
struct SnapshotMessage {
    std::vector<std::string_view> events;
    bool complete = true, more = false;
    std::optional<Cursor> cursor;  // nothing if more follows
};

struct GapMessage {
    Cursor cursor;
    std::uint64_t missed = 0;
    const BusLoss* loss = nullptr;  // of the bus; else this client was too slow
};

struct PublishedMessage {
    std::optional<std::int64_t> id;
    std::uint64_t sequence = 0;
    std::uint32_t delivered = 0, dropped = 0;
};

struct ErrorMessage {
    std::optional<std::int64_t> id;
    std::string_view code;  // for programs: "bad_pattern"
    std::string message;
};

struct ByeMessage {
    std::string_view reason;
    std::uint32_t retry_after_ms = 0;
    std::optional<Cursor> cursor;
};

std::string_view name_of(Resume resume) noexcept;
std::string_view name_of(ResetReason reason) noexcept;
std::string_view name_of(swb_loss_cause cause) noexcept;

// One form of the messages. Each call appends one message. A cursor that is not there is left out: the client keeps the one it has. One
// thread.
class MessageForm {
public:
    virtual ~MessageForm() = default;
    // In which events are to be given.
    virtual Format format() const noexcept = 0;

    virtual void hello(std::string& out, const HelloMessage& message) = 0;
    virtual void subscribed(std::string& out, const SubscribedMessage& message) = 0;
    virtual void snapshot(std::string& out, const SnapshotMessage& message) = 0;
    virtual void events(std::string& out, const Batch& batch, Cursor cursor) = 0;
    virtual void gap(std::string& out, const GapMessage& message) = 0;
    virtual void published(std::string& out, const PublishedMessage& message) = 0;
    virtual void heartbeat(std::string& out, std::optional<Cursor> cursor) = 0;
    virtual void error(std::string& out, const ErrorMessage& message) = 0;
    virtual void bye(std::string& out, const ByeMessage& message) = 0;
};

}  // namespace swarmbus::gateway
