#include "ws_gateway/transports/websocket.hpp"

#include <sys/socket.h>

#include <exception>
#include <variant>

#include "ws_gateway/observe/log.hpp"

namespace swarmbus::gateway {
namespace {

// What the kernel keeps for one who does not read.
constexpr int kSendBufferBytes = 256 << 10;
// For what was said to leave, before a code does.
constexpr std::chrono::seconds kLongestClose(3);

}  // namespace

struct WebSocketTransport::Session : Client {
    Session(WebSocketTransport& its_transport, MessageForm& its_form, lws* its_wsi, bool token, Clock::time_point now)
        : Client(its_transport, its_form, now), wsi(its_wsi), heard_at(now), has_token(token) {}

    lws* const wsi;
    std::string incoming;  // of a message that is not there whole
    Clock::time_point heard_at;
    Clock::time_point pinged_at{};
    bool has_token;
    bool was_pinged = false;
    bool is_held = false;     // nothing is read until what was said has left
    std::uint16_t close = 0;  // code; not 0: to be closed when it is writable
    Clock::time_point close_at{};
    std::string_view close_reason{};
};

WebSocketTransport::~WebSocketTransport() = default;

WebSocketTransport::Session* WebSocketTransport::open(lws* wsi, MessageForm& form, bool has_token) {
    ::setsockopt(lws_get_socket_fd(wsi), SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof kSendBufferBytes);
    auto* const session = new Session(*this, form, wsi, has_token || !access_.needs_token(), Clock::now());
    connect(*session);
    gateway_.metrics().connected(name());
    try {
        if (session->has_token) welcome(*session);
    } catch (...) {
        close(*session);
        throw;
    }
    return session;
}

void WebSocketTransport::close(Session& session) {
    gateway_.hub().forget(session, Clock::now());
    gateway_.metrics().disconnected(name());
    disconnect(session);
    delete &session;
}

void WebSocketTransport::heard(Session& session) noexcept {
    session.heard_at = Clock::now();
    session.was_pinged = false;
}

// ---------------------------------------------------------------- receiving

void WebSocketTransport::receive(Session& session, std::string_view bytes, bool is_last_of_message) {
    heard(session);
    if (session.close != 0) return;  // whatever it is
    if (session.incoming.size() + bytes.size() > gateway_.options().max_message_bytes) {
        gateway_.metrics().refused(Refusal::message);
        session.incoming = {};
        // Once all that is on its way was read: else the peer would find its connection reset, and no code.
        return end(session, CloseCode::too_large, "the message is too large");
    }
    if (is_last_of_message && session.incoming.empty() && session.form.format() == Format::json) {
        return handle(session, bytes);  // the usual case, without a copy
    }
    session.incoming.append(bytes);
    if (!is_last_of_message) return;
    const std::string message = std::exchange(session.incoming, std::string());
    handle(session, message);
}

void WebSocketTransport::handle(Session& session, std::string_view message) {
    const Clock::time_point now = Clock::now();
    try {
        const Command command =
            session.form.format() == Format::json ? command_from_json(message) : command_from_frame(std::as_bytes(std::span(message)));
        if (const auto* auth = std::get_if<AuthCommand>(&command)) {
            if (!access_.allows_token(auth->token)) {
                gateway_.metrics().refused(Refusal::token);
                return end(session, CloseCode::bad_token, "the token is not known");
            }
            if (!session.has_token) {
                session.has_token = true;
                welcome(session);
            }
            return;
        }
        if (!session.has_token) {
            gateway_.metrics().refused(Refusal::token);
            return end(session, CloseCode::bad_token, "the first message has to be 'auth' with a token");
        }
        if (const auto* subscribe = std::get_if<SubscribeCommand>(&command)) {
            const SubscribedMessage answer = gateway_.subscribe(session, *subscribe, now);
            say(session, [&](std::string& out) { session.form.subscribed(out, answer); });
            gateway_.hub().writable(session, now);
        } else if (const auto* unsubscribe = std::get_if<UnsubscribeCommand>(&command)) {
            SubscribedMessage answer = gateway_.hub().unsubscribe(session, unsubscribe->patterns, now);
            answer.id = unsubscribe->id;
            say(session, [&](std::string& out) { session.form.subscribed(out, answer); });
        } else if (const auto* publish = std::get_if<PublishCommand>(&command)) {
            const PublishedMessage answer = gateway_.publish(*publish);
            say(session, [&](std::string& out) { session.form.published(out, answer); });
        } else {
            heartbeat(session, gateway_.cursor_of(session));
        }
    } catch (const CommandError& e) {
        gateway_.note_refused(e);
        error(session, {e.id(), e.code(), e.what()});
        if (std::string_view(e.code()) == "bad_message") end(session, CloseCode::bad_message, "the message is none of this protocol");
    } catch (const std::exception& e) {
        log_error("websocket", e.what());
        end(session, CloseCode::fault, "a fault of the gateway");
    }
}

// ---------------------------------------------------------------- sending

void WebSocketTransport::welcome(Session& session) {
    say(session, [&](std::string& out) { session.form.hello(out, gateway_.hello()); });
}

template <typename Write>
void WebSocketTransport::say(Session& session, Write&& write) {
    outgoing_.clear();
    write(outgoing_.bytes());
    session.spoken_at = Clock::now();
    send(session, outgoing_);
    // Who asks and does not read is not asked for more.
    if (lws_partial_buffered(session.wsi) && !session.is_held) {
        session.is_held = true;
        lws_rx_flow_control(session.wsi, 0);
    }
}

bool WebSocketTransport::is_writable(const Client& client) const {
    const auto& session = static_cast<const Session&>(client);
    return session.close == 0 && !lws_partial_buffered(session.wsi);
}

void WebSocketTransport::send(Client& client, OutgoingMessage& message) {
    const auto& session = static_cast<const Session&>(client);
    const lws_write_protocol kind = client.form.format() == Format::flat ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
    static_assert(OutgoingMessage::kHeadroom >= LWS_PRE);
    if (!write(session.wsi, message.data(), message.size(), kind)) return hang_up(session.wsi);
    if (lws_partial_buffered(session.wsi)) lws_callback_on_writable(session.wsi);
}

bool WebSocketTransport::writable(Session& session) {
    if (session.close != 0) {
        lws_close_reason(session.wsi, static_cast<lws_close_status>(session.close),
                         reinterpret_cast<unsigned char*>(const_cast<char*>(session.close_reason.data())), session.close_reason.size());
        return false;
    }
    if (session.is_held && !lws_partial_buffered(session.wsi)) {
        session.is_held = false;
        lws_rx_flow_control(session.wsi, 1);
    }
    gateway_.hub().writable(session, Clock::now());
    return true;
}

void WebSocketTransport::heartbeat(Client& client, std::optional<Cursor> cursor) {
    say(static_cast<Session&>(client), [&](std::string& out) { client.form.heartbeat(out, cursor); });
}

void WebSocketTransport::error(Client& client, const ErrorMessage& error) {
    say(static_cast<Session&>(client), [&](std::string& out) { client.form.error(out, error); });
}

void WebSocketTransport::shut_down(Client& client, const ByeMessage& bye) {
    say_goodbye(static_cast<Session&>(client), bye, CloseCode::restart, "the gateway ends");
}

void WebSocketTransport::end_for_bus(Client& client, ByeMessage bye) {
    bye.cursor = gateway_.cursor_of(client);
    say_goodbye(static_cast<Session&>(client), bye, CloseCode::bus_is_gone, "the bus is gone");
}

void WebSocketTransport::say_goodbye(Session& session, const ByeMessage& bye, CloseCode code, std::string_view reason) {
    if (session.close != 0) return;
    if (!lws_partial_buffered(session.wsi)) say(session, [&](std::string& out) { session.form.bye(out, bye); });
    end(session, code, reason);
}

void WebSocketTransport::end(Session& session, CloseCode code, std::string_view reason) {
    if (session.close != 0) return;
    session.close = static_cast<std::uint16_t>(code);
    session.close_reason = reason;
    session.close_at = Clock::now();
    lws_callback_on_writable(session.wsi);
}

void WebSocketTransport::tick(Clock::time_point now) {
    const auto interval = gateway_.options().heartbeat;
    for (Client* client : clients()) {
        auto& session = static_cast<Session&>(*client);
        if (session.close != 0) {
            if (now - session.close_at >= kLongestClose) hang_up(session.wsi);
            continue;
        }
        const auto silence = now - session.heard_at;
        if (!session.has_token && silence >= gateway_.options().request_timeout) {
            gateway_.metrics().refused(Refusal::timeout);
            end(session, CloseCode::no_token_in_time, "no token came in time");
        } else if (session.was_pinged && now - session.pinged_at >= interval / 3) {
            end(session, CloseCode::unanswered_heartbeat, "the heartbeat was not answered");
            if (lws_partial_buffered(session.wsi)) hang_up(session.wsi);  // a code would not get through
        } else {
            if (silence >= interval && !session.was_pinged) {
                // libwebsockets does not tell of pongs that are empty.
                char ping[LWS_PRE + 1] = {};
                session.was_pinged = true;
                session.pinged_at = now;
                if (!write(session.wsi, ping + LWS_PRE, 1, LWS_WRITE_PING)) hang_up(session.wsi);
            }
            if (session.has_token && now - client->spoken_at >= interval && !lws_partial_buffered(session.wsi))
                heartbeat(*client, gateway_.cursor_of(*client));
        }
    }
}

}  // namespace swarmbus::gateway
