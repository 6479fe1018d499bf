#include "ws_gateway/messages/poll_messages.hpp"

namespace swarmbus::gateway {
namespace {

// "name":{…}, of members that begin with a comma.
template <typename Message>
void append_object(std::string& out, const char* name, const Message& message) {
    out += ",\"";
    out += name;
    out += "\":";
    const std::size_t begin = out.size();
    append_members(out, message);
    out[begin] = '{';
    out += '}';
}

}  // namespace

void PollMessages::subscribed(std::string& out, const SubscribedMessage& message) {
    out += ",\"resume\":\"";
    out += name_of(message.resume);
    out += '"';
    if (message.resume != Resume::reset) return;
    out += ",\"reason\":\"";
    out += name_of(message.reason);
    out += '"';
}

void PollMessages::snapshot(std::string& out, const SnapshotMessage& message) { append_object(out, "snapshot", message); }

void PollMessages::events(std::string& out, const Batch& batch, Cursor cursor) {
    append_cursor_member(out, cursor);
    append_events_member(out, batch.pieces);
}

void PollMessages::gap(std::string& out, const GapMessage& message) {
    heartbeat(out, message.cursor);
    append_object(out, "gap", message);
}

void PollMessages::heartbeat(std::string& out, std::optional<Cursor> cursor) {
    append_cursor_member(out, cursor);
    append_events_member(out, {});
}

void PollMessages::bye(std::string& out, const ByeMessage& message) {
    heartbeat(out, message.cursor);
    append_object(out, "bye", message);
}

}  // namespace swarmbus::gateway
