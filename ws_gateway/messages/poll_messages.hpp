// What a long-poll answers: the messages as members of one JSON object.
#pragma once

#include "ws_gateway/messages/json_messages.hpp"

namespace swarmbus::gateway {

// Each call appends members that begin with a comma.
class PollMessages final : public MessageForm {
public:
    Format format() const noexcept override { return Format::json; }
    void hello(std::string&, const HelloMessage&) override {}
    void subscribed(std::string& out, const SubscribedMessage& message) override;
    void snapshot(std::string& out, const SnapshotMessage& message) override;
    void events(std::string& out, const Batch& batch, Cursor cursor) override;
    void gap(std::string& out, const GapMessage& message) override;
    void published(std::string&, const PublishedMessage&) override {}
    void heartbeat(std::string& out, std::optional<Cursor> cursor) override;  // nothing came
    void error(std::string&, const ErrorMessage&) override {}
    void bye(std::string& out, const ByeMessage& message) override;
};

}  // namespace swarmbus::gateway
