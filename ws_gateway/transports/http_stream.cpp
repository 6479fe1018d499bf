#include "ws_gateway/transports/http_stream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

namespace swarmbus::gateway {
namespace {

// The peer has gone, or says something where nothing is to be said.
void peer_spoke(struct ev_loop* loop, ev_io* watcher, int) {
    auto& stream = *static_cast<HttpStream*>(watcher->data);
    char byte;
    const ssize_t got = ::recv(watcher->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    ev_io_stop(loop, watcher);
    hang_up(stream.wsi);
}

}  // namespace

HttpStream* HttpStreamTransport::begin(lws* wsi, MessageForm& form, const Request& request, SubscribedMessage& answer,
                                       HttpStream*& opened) {
    auto own = std::make_unique<HttpStream>(*this, form, wsi, Clock::now());
    try {
        answer = gateway_.subscribe(*own, subscription_in(request), Clock::now());
        connect(*own);
    } catch (...) {
        gateway_.hub().forget(*own, Clock::now());
        throw;
    }
    HttpStream* const stream = opened = own.release();
    gateway_.metrics().connected(name());
    // Nothing tells of a peer that the network lost, but that no heartbeat is acknowledged. Of itself the system takes a quarter of an
    // hour.
    const auto patience = static_cast<unsigned>((gateway_.options().heartbeat * 4 / 3).count());
    ::setsockopt(lws_get_socket_fd(wsi), IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof patience);
    lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
    lws_rx_flow_control(wsi, 0);
    ev_io_init(&stream->peer, peer_spoke, lws_get_socket_fd(wsi), EV_READ);
    stream->peer.data = stream;
    ev_io_start(loop_, &stream->peer);
    return stream;
}

void HttpStreamTransport::close(HttpStream& stream) {
    ev_io_stop(loop_, &stream.peer);
    gateway_.hub().forget(stream, Clock::now());
    gateway_.metrics().disconnected(name());
    disconnect(stream);
    delete &stream;
}

void HttpStreamTransport::write_to(HttpStream& stream, char* bytes, std::size_t count) {
    stream.spoken_at = Clock::now();
    if (!write(stream.wsi, bytes, count, LWS_WRITE_HTTP)) return hang_up(stream.wsi);
    if (lws_partial_buffered(stream.wsi)) lws_callback_on_writable(stream.wsi);
}

void HttpStreamTransport::finish(HttpStream& stream) {
    stream.is_over = true;
    stream.uptake.emplace(lws_get_socket_fd(stream.wsi), Clock::now());
    lws_rx_flow_control(stream.wsi, 1);  // closing waits for the other side to close, too
    lws_callback_on_writable(stream.wsi);
}

void HttpStreamTransport::drop_if_stuck(HttpStream& stream, Clock::time_point now) {
    if (stream.uptake->is_stuck(now, gateway_.options().request_timeout)) hang_up(stream.wsi);
}

bool HttpStreamTransport::writable(HttpStream& stream) {
    if (stream.snapshot_answer != nullptr) return stream.snapshot_answer->send();
    if (stream.is_over) return false;
    gateway_.hub().writable(stream, Clock::now());
    return true;
}

}  // namespace swarmbus::gateway
