#include "ws_gateway/transports/http_stream.hpp"

namespace swarmbus::gateway {
namespace {

constexpr std::uint32_t kLongestWait = 60, kUsualWait = 25;  // seconds
constexpr std::uint32_t kMostEvents = 10'000, kUsualEvents = 1'000;

}  // namespace

void LongPollTransport::open(lws* wsi, const Request& request, const std::string& headers, HttpStream*& opened) {
    const std::uint32_t wait = number_in(request, "wait", kUsualWait, kLongestWait);
    const std::uint32_t limit = number_in(request, "limit", kUsualEvents, kMostEvents);
    if (limit == 0) throw CommandError("bad_query", "'limit' is at least 1");
    SubscribedMessage answer;
    HttpStream* const stream = begin(wsi, form_, request, answer, opened);
    stream->batch = std::chrono::milliseconds(0);  // what is gathered lies in the journal
    stream->message_events = limit;
    stream->headers = headers;
    form_.subscribed(stream->answer, answer);
    if (stream->snapshot) {
        answer_with_snapshot(*stream);
        return;
    }
    const bool has_cursor = !request.last_event_id.empty() || !request.parameter("since").empty();
    if (answer.resume == Resume::recovered || (has_cursor && answer.resume == Resume::live)) {
        stream->answer_at = Clock::now() + std::chrono::seconds(wait);
        gateway_.hub().writable(*stream, Clock::now());
        if (!stream->is_over && wait == 0) shut_down(*stream, {});
        return;
    }
    // To begin with: there is a cursor now.
    std::string members;
    form_.heartbeat(members, gateway_.cursor_of(*stream));
    this->answer(*stream, members);
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
    finish(stream);
}

// Answers at once: there is a cursor, if none before it counts.
void LongPollTransport::answer_with_snapshot(HttpStream& stream) {
    SnapshotAnswer::Parts parts{stream.filter, *std::exchange(stream.snapshot, std::nullopt), std::move(stream.answer), {}};
    parts.before[0] = '{';
    std::string snapshot;
    form_.snapshot(snapshot, {{}, stream.snapshot_is_complete, false, gateway_.cursor_of(stream)});
    const std::size_t events = snapshot.find('[') + 1;  // its parts go here
    parts.before += snapshot.substr(0, events);
    parts.after = snapshot.substr(events);
    form_.heartbeat(parts.after, gateway_.cursor_of(stream));
    parts.after += "}\n";
    stream.is_over = true;
    stream.uptake.emplace(lws_get_socket_fd(stream.wsi), Clock::now());
    stream.snapshot_answer = std::make_unique<SnapshotAnswer>(gateway_.hub(), stream.wsi, std::move(parts), stream.headers);
    if (!stream.snapshot_answer->send()) lws_callback_on_writable(stream.wsi);
}

void LongPollTransport::tick(Clock::time_point now) {
    for (Client* client : clients()) {
        auto& stream = static_cast<HttpStream&>(*client);
        if (stream.is_over) {
            drop_if_stuck(stream, now);
        } else if (now >= stream.answer_at) {
            shut_down(stream, {});
        }
    }
}

}  // namespace swarmbus::gateway
