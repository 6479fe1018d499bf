#include "ws_gateway/messages/sse_messages.hpp"

#include <random>

#include "src/tool/text.hpp"
#include "ws_gateway/messages/json_messages.hpp"

namespace swarmbus::gateway {
namespace {

void append_id(std::string& out, std::optional<Cursor> cursor) {
    if (!cursor) return;
    out += "id: ";
    append_cursor(out, *cursor);
    out += '\n';
}

// A message with a name; its members begin with a comma, which the first loses.
template <typename Message>
void append_named(std::string& out, const char* name, const Message& message) {
    append_id(out, message.cursor);
    out += "event: ";
    out += name;
    out += "\ndata: ";
    const std::size_t begin = out.size();
    append_members(out, message);
    out[begin] = '{';
    out += "}\n\n";
}

// Spread, so that those who lost their gateway at the same moment don't come back at the same moment.
std::uint32_t spread_retry_ms() {
    thread_local std::minstd_rand random{std::random_device()()};
    return std::uniform_int_distribution<std::uint32_t>(1000, 3000)(random);
}

}  // namespace

void SseMessages::hello(std::string& out, const HelloMessage&) { out += "retry: " + std::to_string(spread_retry_ms()) + "\n\n"; }

void SseMessages::subscribed(std::string& out, const SubscribedMessage& message) { append_named(out, "subscribed", message); }
void SseMessages::snapshot(std::string& out, const SnapshotMessage& message) { append_named(out, "snapshot", message); }
void SseMessages::gap(std::string& out, const GapMessage& message) { append_named(out, "gap", message); }

void SseMessages::events(std::string& out, const Batch& batch, Cursor) {
    for (const std::string_view piece : batch.pieces) out += piece;  // each has its id
}

void SseMessages::heartbeat(std::string& out, std::optional<Cursor> cursor) {
    out += ": heartbeat\n";
    append_id(out, cursor);
    out += '\n';
}

void SseMessages::error(std::string& out, const ErrorMessage& message) {
    out += "event: error\ndata: {\"code\":";
    tool::append_json_string(out, message.code);
    out += ",\"message\":";
    tool::append_json_string(out, message.message);
    out += "}\n\n";
}

void SseMessages::bye(std::string& out, const ByeMessage& message) {
    out += "retry: " + std::to_string(message.retry_after_ms) + "\n";
    append_named(out, "bye", message);
}

}  // namespace swarmbus::gateway
