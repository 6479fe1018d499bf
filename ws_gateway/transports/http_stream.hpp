// Clients by HTTP: an answer that goes on (Server-Sent Events), and one that waits (long-polling).
#pragma once

#include <ev.h>

#include <memory>
#include <optional>
#include <string>

#include "ws_gateway/messages/poll_messages.hpp"
#include "ws_gateway/server/gateway.hpp"
#include "ws_gateway/server/lws.hpp"
#include "ws_gateway/server/request.hpp"
#include "ws_gateway/transports/snapshot_answer.hpp"
#include "ws_gateway/transports/transport.hpp"
#include "ws_gateway/transports/uptake.hpp"

namespace swarmbus::gateway {

// A connection whose answer is not over.
struct HttpStream : Client {
    HttpStream(Transport& its_transport, MessageForm& its_form, lws* its_wsi, Clock::time_point now)
        : Client(its_transport, its_form, now), wsi(its_wsi) {}

    lws* const wsi;
    ev_io peer{};                                     // libwebsockets does not look at the socket of an answer that is under way
    Clock::time_point answer_at{};                    // long-polling: then it answers, whatever there is
    std::string headers, answer;                      // long-polling: so far
    std::unique_ptr<SnapshotAnswer> snapshot_answer;  // long-polling: an answer that is made in parts
    bool is_over = false;                             // answered; closed when it is writable
    std::optional<Uptake> uptake;                     // of an answer that is over
};

class HttpStreamTransport : public Transport {
public:
    HttpStreamTransport(Gateway& gateway, struct ev_loop* loop) : gateway_(gateway), loop_(loop) {}

    // Begins an answer: `opened`, from then on to be closed. Throws CommandError if the request is wrong; nothing was sent or opened then.
    virtual void open(lws* wsi, const Request& request, const std::string& headers, HttpStream*& opened) = 0;
    // False: close it.
    bool writable(HttpStream& stream);
    void close(HttpStream& stream);
    virtual void tick(Clock::time_point now) = 0;

protected:
    // A stream that is subscribed to what the request asks for.
    HttpStream* begin(lws* wsi, MessageForm& form, const Request& request, SubscribedMessage& answer, HttpStream*& opened);
    // Hands bytes to the socket.
    void write_to(HttpStream& stream, char* bytes, std::size_t count);
    // All was said: closed when that has left.
    void finish(HttpStream& stream);
    // Hangs up on one who has been answered and does not take it.
    void drop_if_stuck(HttpStream& stream, Clock::time_point now);

    Gateway& gateway_;
    struct ev_loop* const loop_;
    OutgoingMessage outgoing_;
};

class SseTransport final : public HttpStreamTransport {
public:
    using HttpStreamTransport::HttpStreamTransport;
    void open(lws* wsi, const Request& request, const std::string& headers, HttpStream*& opened) override;
    void tick(Clock::time_point now) override;

    std::string_view name() const noexcept override { return "sse"; }
    bool is_writable(const Client& client) const override;
    void send(Client& client, OutgoingMessage& message) override;
    void heartbeat(Client& client, std::optional<Cursor> cursor) override;
    void error(Client& client, const ErrorMessage& error) override;
    void shut_down(Client& client, const ByeMessage& bye) override;
};

class LongPollTransport final : public HttpStreamTransport {
public:
    using HttpStreamTransport::HttpStreamTransport;
    void open(lws* wsi, const Request& request, const std::string& headers, HttpStream*& opened) override;
    void tick(Clock::time_point now) override;

    std::string_view name() const noexcept override { return "poll"; }
    bool is_writable(const Client& client) const override { return !static_cast<const HttpStream&>(client).is_over; }
    // The first message ends the wait.
    void send(Client& client, OutgoingMessage& message) override;
    void heartbeat(Client&, std::optional<Cursor>) override {}  // an answer is never far away
    void error(Client& client, const ErrorMessage& error) override;
    void shut_down(Client& client, const ByeMessage& bye) override;

private:
    // `members` are those of a JSON object, begun by a comma.
    void answer(HttpStream& stream, std::string_view members);
    void answer_with_snapshot(HttpStream& stream);

    PollMessages form_;
};

}  // namespace swarmbus::gateway
