// Messages as frames of gateway.fbs, for WebSockets with the subprotocol swarmbus.v1.fb.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include "ws_gateway/journal/lane.hpp"
#include "ws_gateway/messages/messages.hpp"

namespace swarmbus::gateway {

class FlatEvents final : public EventEncoder {
public:
    void encode(const Record& record, std::string& out) override;

private:
    flatbuffers::FlatBufferBuilder builder_;
};

class FlatMessages final : public MessageForm {
public:
    Format format() const noexcept override { return Format::flat; }
    void hello(std::string& out, const HelloMessage& message) override;
    void subscribed(std::string& out, const SubscribedMessage& message) override;
    void snapshot(std::string& out, const SnapshotMessage& message) override;
    void events(std::string& out, const Batch& batch, Cursor cursor) override;
    void gap(std::string& out, const GapMessage& message) override;
    void published(std::string& out, const PublishedMessage& message) override;
    void heartbeat(std::string& out, std::optional<Cursor> cursor) override;
    void error(std::string& out, const ErrorMessage& message) override;
    void bye(std::string& out, const ByeMessage& message) override;

private:
    flatbuffers::FlatBufferBuilder builder_;
};

}  // namespace swarmbus::gateway
