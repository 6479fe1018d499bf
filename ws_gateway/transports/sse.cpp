#include <sys/socket.h>

#include "ws_gateway/transports/http_stream.hpp"

namespace swarmbus::gateway {
namespace {

// What the kernel keeps for one who does not read.
constexpr int kSendBufferBytes = 256 << 10;

}  // namespace

void SseTransport::open(lws* wsi, const Request& request, const std::string& headers, HttpStream*& opened) {
    SubscribedMessage answer;
    HttpStream* const stream = begin(wsi, gateway_.form(Format::sse), request, answer, opened);
    ::setsockopt(lws_get_socket_fd(wsi), SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof kSendBufferBytes);
    outgoing_.clear();
    outgoing_.bytes() +=
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nX-Accel-Buffering: no\r\n" + headers + "\r\n";
    stream->form.hello(outgoing_.bytes(), gateway_.hello());
    stream->form.subscribed(outgoing_.bytes(), answer);
    write_to(*stream, outgoing_.data(), outgoing_.size());
    gateway_.hub().writable(*stream, Clock::now());
}

bool SseTransport::is_writable(const Client& client) const {
    const auto& stream = static_cast<const HttpStream&>(client);
    return !stream.is_over && !lws_partial_buffered(stream.wsi);
}

void SseTransport::send(Client& client, OutgoingMessage& message) {
    write_to(static_cast<HttpStream&>(client), message.data(), message.size());
}

void SseTransport::heartbeat(Client& client, std::optional<Cursor> cursor) {
    outgoing_.clear();
    client.form.heartbeat(outgoing_.bytes(), cursor);
    send(client, outgoing_);
}

void SseTransport::error(Client& client, const ErrorMessage& error) {
    outgoing_.clear();
    client.form.error(outgoing_.bytes(), error);
    send(client, outgoing_);
}

void SseTransport::shut_down(Client& client, const ByeMessage& bye) {
    if (is_writable(client)) {
        outgoing_.clear();
        client.form.bye(outgoing_.bytes(), bye);
        send(client, outgoing_);
    }
    finish(static_cast<HttpStream&>(client));
}

void SseTransport::tick(Clock::time_point now) {
    const auto interval = gateway_.options().heartbeat;
    for (Client* client : clients()) {
        if (auto& stream = static_cast<HttpStream&>(*client); stream.is_over) {
            drop_if_stuck(stream, now);
        } else if (now - client->spoken_at >= interval * 4 / 3 && !is_writable(*client)) {
            hang_up(static_cast<HttpStream&>(*client).wsi);  // took nothing all that time
        } else if (now - client->spoken_at >= interval && is_writable(*client)) {
            heartbeat(*client, gateway_.cursor_of(*client));
        }
    }
}

}  // namespace swarmbus::gateway
