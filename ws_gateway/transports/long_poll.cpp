#include "ws_gateway/transports/http_stream.hpp"

namespace swarmbus::gateway {
namespace {

constexpr std::uint32_t kLongestWait = 60, kUsualWait = 25;  // seconds
constexpr std::uint32_t kMostEvents = 10'000, kUsualEvents = 1'000;
constexpr std::size_t kMostKept = std::size_t{1} << 20;  // of a buffer for the next answer

}  // namespace

HttpStream* LongPollTransport::open(lws* wsi, const Request& request, const std::string& headers) {
    const std::uint32_t wait = number_in(request, "wait", kUsualWait, kLongestWait);
    const std::uint32_t limit = number_in(request, "limit", kUsualEvents, kMostEvents);
    if (limit == 0) throw CommandError("bad_query", "'limit' is at least 1");
    SubscribedMessage answer;
    HttpStream* const stream = begin(wsi, form_, request, answer);
    stream->batch = std::chrono::milliseconds(0);  // what is gathered lies in the journal
    stream->message_events = limit;
    stream->headers = headers;
    form_.subscribed(stream->answer, answer);
    if (stream->snapshot) {
        std::vector<std::string> events;
        while (gateway_.hub().snapshot_part(*stream->snapshot, *stream->filter, Format::json, events)) {}
        stream->snapshot.reset();
        form_.snapshot(stream->answer, {{events.begin(), events.end()}, stream->snapshot_is_complete, false, gateway_.cursor_of(*stream)});
    }
    const bool has_cursor = !request.last_event_id.empty() || !request.parameter("since").empty();
    if (answer.resume == Resume::recovered || (has_cursor && answer.resume == Resume::live)) {
        stream->answer_at = Clock::now() + std::chrono::seconds(wait);
        gateway_.hub().writable(*stream, Clock::now());
        if (!stream->is_over && wait == 0) shut_down(*stream, {});
        return stream;
    }
    // To begin with: there is a cursor now.
    std::string members;
    form_.heartbeat(members, gateway_.cursor_of(*stream));
    this->answer(*stream, members);
    return stream;
}

void LongPollTransport::send(Client& client, OutgoingMessage& message) {
    answer(static_cast<HttpStream&>(client), {message.data(), message.size()});
}

void LongPollTransport::error(Client& client, const ErrorMessage& error) {
    std::string members;
    client.form.error(members, error);
    answer(static_cast<HttpStream&>(client), members);
}

void LongPollTransport::shut_down(Client& client, const ByeMessage& bye) {
    auto& stream = static_cast<HttpStream&>(client);
    if (stream.is_over) return;
    std::string members;
    if (bye.reason.empty()) {
        form_.heartbeat(members, gateway_.cursor_of(client));
    } else {
        form_.bye(members, bye);
    }
    answer(stream, members);
}

void LongPollTransport::answer(HttpStream& stream, std::string_view members) {
    stream.answer += members;
    stream.answer[0] = '{';
    stream.answer += "}\n";
    outgoing_.clear();
    outgoing_.bytes() += "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nContent-Length: " +
                         std::to_string(stream.answer.size()) + "\r\n" + stream.headers + "\r\n" + stream.answer;
    stream.answer = {};
    write_to(stream, outgoing_.data(), outgoing_.size());
    if (outgoing_.size() > kMostKept) outgoing_ = {};
    finish(stream);
}

void LongPollTransport::tick(Clock::time_point now) {
    for (Client* client : clients()) {
        auto& stream = static_cast<HttpStream&>(*client);
        if (stream.is_over) {
            if (now - stream.spoken_at >= gateway_.options().heartbeat * 4 / 3) hang_up(stream.wsi);  // did not take it all that time
        } else if (now >= stream.answer_at) {
            shut_down(stream, {});
        }
    }
}

}  // namespace swarmbus::gateway
