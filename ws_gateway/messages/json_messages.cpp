#include "ws_gateway/messages/json_messages.hpp"

#include "src/tool/text.hpp"

namespace swarmbus::gateway {
namespace {

using tool::append_json_string;

void append_id(std::string& out, const std::optional<std::int64_t>& id) {
    if (id) out += ",\"id\":" + std::to_string(*id);
}

void append_text(std::string& out, std::string_view key, std::string_view value) {
    out += ",\"";
    out += key;
    out += "\":";
    append_json_string(out, value);
}

void append_number(std::string& out, std::string_view key, std::uint64_t value) {
    out += ",\"";
    out += key;
    out += "\":" + std::to_string(value);
}

}  // namespace

void append_cursor_member(std::string& out, std::optional<Cursor> cursor) {
    if (!cursor) return;
    out += ",\"cursor\":\"";
    append_cursor(out, *cursor);
    out += '"';
}

void append_events_member(std::string& out, const std::vector<std::string_view>& pieces) {
    out += ",\"events\":[";
    const std::size_t begin = out.size();
    for (const std::string_view piece : pieces) out += piece;
    if (out.size() > begin) out.erase(begin, 1);  // each event begins with a comma
    out += ']';
}

void append_members(std::string& out, const SubscribedMessage& message) {
    out += ",\"patterns\":[";
    const char* separator = "";
    for (const std::string& pattern : message.patterns) {
        out += separator;
        append_json_string(out, pattern);
        separator = ",";
    }
    out += ']';
    append_text(out, "resume", name_of(message.resume));
    if (message.resume == Resume::reset) append_text(out, "reason", name_of(message.reason));
    append_cursor_member(out, message.cursor);
}

void append_members(std::string& out, const SnapshotMessage& message) {
    append_events_member(out, message.events);
    out += message.complete ? ",\"complete\":true" : ",\"complete\":false";
    out += message.more ? ",\"more\":true" : ",\"more\":false";
    append_cursor_member(out, message.cursor);
}

void append_members(std::string& out, const GapMessage& message) {
    append_cursor_member(out, message.cursor);
    append_number(out, "missed", message.missed);
    append_text(out, "cause", message.loss == nullptr ? "slow" : message.loss->reattached ? "bus_reopened" : "bus");
    if (message.loss == nullptr) return;
    out += ",\"lost_by\":{";
    const char* separator = "";
    for (std::size_t cause = 0; cause < SWB_LOSS_CAUSES; ++cause) {
        const std::uint64_t lost = message.loss->by_cause[cause];
        if (lost == 0) continue;
        out += separator;
        append_json_string(out, name_of(static_cast<swb_loss_cause>(cause)));
        out += ':' + std::to_string(lost);
        separator = ",";
    }
    out += '}';
}

void append_members(std::string& out, const ByeMessage& message) {
    append_text(out, "reason", message.reason);
    append_number(out, "retry_after_ms", message.retry_after_ms);
    append_cursor_member(out, message.cursor);
}

void JsonMessages::hello(std::string& out, const HelloMessage& message) {
    out += "{\"op\":\"hello\",\"protocol\":1";
    append_text(out, "server", message.server);
    append_text(out, "bus", message.bus);
    append_text(out, "epoch", std::string_view(text_of(message.cursor)).substr(0, 16));
    append_cursor_member(out, message.cursor);
    append_number(out, "heartbeat_ms", message.heartbeat_ms);
    out += message.publish ? ",\"publish\":true" : ",\"publish\":false";
    out += ",\"limits\":{\"message_bytes\":" + std::to_string(message.message_bytes) + ",\"patterns\":" + std::to_string(message.patterns) +
           "}}";
}

void JsonMessages::subscribed(std::string& out, const SubscribedMessage& message) {
    out += "{\"op\":\"subscribed\"";
    append_id(out, message.id);
    append_members(out, message);
    out += '}';
}

void JsonMessages::snapshot(std::string& out, const SnapshotMessage& message) {
    out += "{\"op\":\"snapshot\"";
    append_members(out, message);
    out += '}';
}

void JsonMessages::events(std::string& out, const Batch& batch, Cursor cursor) {
    out += "{\"op\":\"events\"";
    append_cursor_member(out, cursor);
    append_events_member(out, batch.pieces);
    out += '}';
}

void JsonMessages::gap(std::string& out, const GapMessage& message) {
    out += "{\"op\":\"gap\"";
    append_members(out, message);
    out += '}';
}

void JsonMessages::published(std::string& out, const PublishedMessage& message) {
    out += "{\"op\":\"published\"";
    append_id(out, message.id);
    append_number(out, "sequence", message.sequence);
    append_number(out, "delivered", message.delivered);
    append_number(out, "dropped", message.dropped);
    out += '}';
}

void JsonMessages::heartbeat(std::string& out, std::optional<Cursor> cursor) {
    out += "{\"op\":\"heartbeat\"";
    append_cursor_member(out, cursor);
    out += '}';
}

void JsonMessages::error(std::string& out, const ErrorMessage& message) {
    out += "{\"op\":\"error\"";
    append_id(out, message.id);
    append_text(out, "code", message.code);
    append_text(out, "message", message.message);
    out += '}';
}

void JsonMessages::bye(std::string& out, const ByeMessage& message) {
    out += "{\"op\":\"bye\"";
    append_members(out, message);
    out += '}';
}

}  // namespace swarmbus::gateway
