// Requests of HTTP as libwebsockets tells of them, and their answers. A connection has one request: libwebsockets gets more than one in
// a row wrong (docs/decisions.md).
#pragma once

#include <memory>
#include <string>
#include <unordered_set>

#include "ws_gateway/server/access.hpp"
#include "ws_gateway/server/api.hpp"
#include "ws_gateway/server/lws.hpp"
#include "ws_gateway/server/request.hpp"
#include "ws_gateway/transports/http_stream.hpp"

namespace swarmbus::gateway {

// Where WebSocket messages come back, for tests of the protocol by others.
inline constexpr std::string_view kEcho = "/v1/echo";

// What a connection is at. Made with its first request.
struct HttpExchange {
    lws* wsi = nullptr;
    Request request;
    std::size_t body_bytes = 0;  // that were announced
    Clock::time_point begun{};
    HttpStream* stream = nullptr;  // the answer, if it goes on
    HttpStreamTransport* transport = nullptr;
    std::unique_ptr<SnapshotAnswer> state;  // the answer, if it is made in parts
    std::optional<Uptake> uptake;
    bool is_given_up = false;  // the body came too slowly
};

class HttpServer {
public:
    HttpServer(Gateway& gateway, const Access& access, struct ev_loop* loop)
        : gateway_(gateway), access_(access), api_(gateway), sse_(gateway, loop), poll_(gateway, loop) {}

    // These return what is to be returned to libwebsockets: not 0 closes the connection.
    int request(lws* wsi, std::string_view path, HttpExchange*& exchange);
    int body(HttpExchange& exchange, std::string_view bytes);
    int body_is_there(HttpExchange& exchange);
    int writable(HttpExchange& exchange);
    void closed(HttpExchange*& exchange);
    // Something was thrown on the way that is no fault of the request.
    int failed(lws* wsi, const HttpExchange* exchange, const std::exception& error);

    // Whether a request for a WebSocket may go on; if not, it was answered. `has_token`: a good one was in its header.
    bool admits_websocket(lws* wsi, bool& has_token);

    void tick(Clock::time_point now);
    // Ends the streams; `bye` has no cursor, each gets its own.
    void say_goodbye(const ByeMessage& bye);
    // That, and does nothing for anybody any more but telling how it is.
    void shut_down(const ByeMessage& bye);

private:
    static Request read_request(lws* wsi, std::string_view path);
    // An error, if the request is not to be answered otherwise.
    std::optional<Response> find_refusal(const Request& request, bool is_open_to_all);
    int answer(HttpExchange& exchange);
    int send(lws* wsi, const Request& request, const Response& response);
    std::string common_headers(const Request& request) const;

    Gateway& gateway_;
    const Access& access_;
    Api api_;
    SseTransport sse_;
    LongPollTransport poll_;
    std::unordered_set<HttpExchange*> with_body_;  // that is not there whole
    std::unordered_set<HttpExchange*> with_state_;
    bool is_shutting_down_ = false;
};

}  // namespace swarmbus::gateway
