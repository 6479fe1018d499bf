// Messages as JSON objects, for WebSockets with the subprotocol swarmbus.v1.json.
#pragma once

#include "ws_gateway/messages/messages.hpp"

namespace swarmbus::gateway {

class JsonMessages final : public MessageForm {
public:
    Format format() const noexcept override { return Format::json; }
    void hello(std::string& out, const HelloMessage& message) override;
    void subscribed(std::string& out, const SubscribedMessage& message) override;
    void snapshot(std::string& out, const SnapshotMessage& message) override;
    void events(std::string& out, const Batch& batch, Cursor cursor) override;
    void gap(std::string& out, const GapMessage& message) override;
    void published(std::string& out, const PublishedMessage& message) override;
    void heartbeat(std::string& out, std::optional<Cursor> cursor) override;
    void error(std::string& out, const ErrorMessage& message) override;
    void bye(std::string& out, const ByeMessage& message) override;
};

// Members of the messages that the other transports have too, each begun by a comma.
void append_members(std::string& out, const SubscribedMessage& message);
void append_members(std::string& out, const SnapshotMessage& message);
void append_members(std::string& out, const GapMessage& message);
void append_members(std::string& out, const ByeMessage& message);
void append_cursor_member(std::string& out, std::optional<Cursor> cursor);
// "events":[…], of pieces of Format::json.
void append_events_member(std::string& out, const std::vector<std::string_view>& pieces);

}  // namespace swarmbus::gateway
