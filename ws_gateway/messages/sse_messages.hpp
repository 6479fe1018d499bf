// Messages as Server-Sent Events.
#pragma once

#include "ws_gateway/messages/messages.hpp"

namespace swarmbus::gateway {

class SseMessages final : public MessageForm {
public:
    Format format() const noexcept override { return Format::sse; }
    // Browsers need none; they are told how long to wait before they come back.
    void hello(std::string& out, const HelloMessage& message) override;
    void subscribed(std::string& out, const SubscribedMessage& message) override;
    void snapshot(std::string& out, const SnapshotMessage& message) override;
    void events(std::string& out, const Batch& batch, Cursor cursor) override;
    void gap(std::string& out, const GapMessage& message) override;
    void published(std::string&, const PublishedMessage&) override {}  // nobody publishes here
    void heartbeat(std::string& out, std::optional<Cursor> cursor) override;
    void error(std::string& out, const ErrorMessage& message) override;
    void bye(std::string& out, const ByeMessage& message) override;
};

}  // namespace swarmbus::gateway
