#include "ws_gateway/server/http_exchange.hpp"

#include <charconv>

#include "ws_gateway/observe/log.hpp"

namespace swarmbus::gateway {
namespace {

constexpr std::string_view kPageRules =
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:";

bool has_header(lws* wsi, lws_token_indexes header) noexcept { return lws_hdr_total_length(wsi, header) > 0; }

std::string method_of(lws* wsi) {
    if (has_header(wsi, WSI_TOKEN_GET_URI)) return "GET";
    if (has_header(wsi, WSI_TOKEN_POST_URI)) return "POST";
    if (has_header(wsi, WSI_TOKEN_HEAD_URI)) return "HEAD";
    if (has_header(wsi, WSI_TOKEN_OPTIONS_URI)) return "OPTIONS";
    return {};
}

}  // namespace

Request HttpServer::read_request(lws* wsi, std::string_view path) {
    Request request;
    request.method = method_of(wsi);
    request.path = path;
    request.host = header_of(wsi, WSI_TOKEN_HOST);
    request.origin = header_of(wsi, WSI_TOKEN_ORIGIN);
    request.authorization = header_of(wsi, WSI_TOKEN_HTTP_AUTHORIZATION);
    request.last_event_id = header_of(wsi, "last-event-id:");
    const int bytes = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_URI_ARGS);
    std::string parameter(static_cast<std::size_t>(bytes) + 1, '\0');
    for (int i = 0; bytes > 0; ++i) {
        const int length = lws_hdr_copy_fragment(wsi, parameter.data(), static_cast<int>(parameter.size()), WSI_TOKEN_HTTP_URI_ARGS, i);
        if (length < 0) break;
        request.query.push_back(split_parameter(std::string_view(parameter).substr(0, static_cast<std::size_t>(length))));
    }
    return request;
}

std::optional<Response> HttpServer::find_refusal(const Request& request, bool is_open_to_all) {
    const auto refuse = [&](Refusal reason, int status, const char* code, const std::string& message) {
        gateway_.metrics().refused(reason);
        return error_response(status, code, message);
    };
    if (!access_.allows_host(request.host)) {
        return refuse(Refusal::host, 403, "host", "this gateway is not called '" + request.host + "' (--allow-host)");
    }
    if (!access_.allows_origin(request.origin, request.host)) {
        return refuse(Refusal::origin, 403, "origin", "pages of '" + request.origin + "' may not connect (--allow-origin)");
    }
    if (is_shutting_down_ && request.path != "/healthz" && request.path != "/readyz" && request.path != "/metrics") {
        Response response = refuse(Refusal::connections, 503, "shutting_down", "the gateway is about to end");
        ask_to_come_back(response);
        return response;
    }
    if (!is_open_to_all && access_.needs_token() && !access_.allows_token(request.token())) {
        Response response = refuse(Refusal::token, 401, "token", "a token is needed: 'Authorization: Bearer TOKEN'");
        response.headers.emplace_back("WWW-Authenticate", "Bearer");
        return response;
    }
    return std::nullopt;
}

int HttpServer::request(lws* wsi, std::string_view path, HttpExchange*& exchange) {
    if (exchange != nullptr) return -1;  // a second one
    exchange = new HttpExchange;
    exchange->wsi = wsi;
    exchange->begun = Clock::now();
    exchange->request = read_request(wsi, path);
    const Request& request = exchange->request;
    // The page holds nothing of the bus; what it asks for needs the token.
    const bool is_open_to_all =
        request.path == "/healthz" || request.path == "/readyz" || request.path == "/" || request.method == "OPTIONS";
    if (const auto refusal = find_refusal(request, is_open_to_all)) return send(wsi, request, *refusal);
    if (has_header(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING)) {
        return send(wsi, request, error_response(501, "transfer_encoding", "a body has to come with Content-Length"));
    }
    const std::string length = header_of(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
    const char* const end = length.data() + length.size();
    const auto read = std::from_chars(length.data(), end, exchange->body_bytes);
    if (!length.empty() && (read.ec != std::errc() || read.ptr != end)) {
        return send(wsi, request, error_response(400, "content_length", "Content-Length is no number"));
    }
    if (exchange->body_bytes > gateway_.options().max_body_bytes) {
        gateway_.metrics().refused(Refusal::message);
        return send(wsi, request,
                    error_response(413, "too_large", "a body has at most " + std::to_string(gateway_.options().max_body_bytes) + " bytes"));
    }
    if (exchange->body_bytes == 0) return answer(*exchange);
    if (request.method != "POST") return send(wsi, request, error_response(400, "body", "this request has no body"));
    if (has_header(wsi, WSI_TOKEN_HTTP_EXPECT)) {
        char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        if (!write(wsi, go_on, sizeof go_on - 1, LWS_WRITE_RAW)) return -1;
    }
    with_body_.insert(exchange);
    return 0;
}

int HttpServer::body(HttpExchange& exchange, std::string_view bytes) {
    if (exchange.is_given_up) return -1;
    // More than was announced is the next request, which is not looked at.
    exchange.request.body += bytes.substr(0, exchange.body_bytes - exchange.request.body.size());
    return exchange.request.body.size() == exchange.body_bytes ? body_is_there(exchange) : 0;
}

int HttpServer::body_is_there(HttpExchange& exchange) {
    with_body_.erase(&exchange);
    return answer(exchange);
}

int HttpServer::answer(HttpExchange& exchange) {
    const Request& request = exchange.request;
    if (request.method == "OPTIONS") {
        Response preflight;
        preflight.status = 204;
        preflight.headers = {{"Access-Control-Allow-Methods", "GET, HEAD, POST"},
                             {"Access-Control-Allow-Headers", "Authorization, Content-Type, Last-Event-ID"},
                             {"Access-Control-Max-Age", "600"}};
        return send(exchange.wsi, request, preflight);
    }
    if (request.method == "GET" && (request.path == "/v1/sse" || request.path == "/v1/events")) {
        exchange.transport = request.path == "/v1/sse" ? static_cast<HttpStreamTransport*>(&sse_) : &poll_;
        try {
            exchange.transport->open(exchange.wsi, request, common_headers(request), exchange.stream);
            return 0;
        } catch (const CommandError& e) {
            gateway_.note_refused(e);
            return send(exchange.wsi, request, error_response(e));
        }
    }
    if (request.method == "GET" && request.path == "/v1/state") {
        try {
            exchange.state = std::make_unique<SnapshotAnswer>(gateway_.hub(), exchange.wsi, api_.state(request), common_headers(request));
        } catch (const CommandError& e) {
            gateway_.note_refused(e);
            return send(exchange.wsi, request, error_response(e));
        }
        exchange.uptake.emplace(lws_get_socket_fd(exchange.wsi), Clock::now());
        with_state_.insert(&exchange);
        return exchange.state->send() ? 0 : -1;
    }
    return send(exchange.wsi, request, api_.answer(request));
}

std::string HttpServer::common_headers(const Request& request) const {
    std::string headers = "Connection: close\r\nX-Content-Type-Options: nosniff\r\nVary: Origin\r\n";
    if (!request.origin.empty() && access_.allows_origin(request.origin, request.host))
        headers += "Access-Control-Allow-Origin: " + request.origin + "\r\n";
    return headers;
}

int HttpServer::send(lws* wsi, const Request& request, const Response& response) {
    std::string headers = common_headers(request);
    if (response.content_type.starts_with("text/html")) headers += "Content-Security-Policy: " + std::string(kPageRules) + "\r\n";
    std::string text = std::string(LWS_PRE, '\0') + text_of(response, headers, request.method != "HEAD");
    write(wsi, text.data() + LWS_PRE, text.size() - LWS_PRE, LWS_WRITE_HTTP_FINAL);
    return -1;
}

int HttpServer::failed(lws* wsi, const HttpExchange* exchange, const std::exception& error) {
    log_error("gateway", "a request could not be answered", {{"error", error.what()}});
    if (exchange != nullptr && exchange->stream == nullptr && exchange->state == nullptr)
        send(wsi, exchange->request, error_response(500, "failed", "the gateway could not do that; its log says more"));
    return -1;
}

int HttpServer::writable(HttpExchange& exchange) {
    if (exchange.state != nullptr) return exchange.state->send() ? 0 : -1;
    if (exchange.stream == nullptr) return 0;
    return exchange.transport->writable(*exchange.stream) ? 0 : -1;
}

void HttpServer::closed(HttpExchange*& exchange) {
    if (exchange == nullptr) return;
    if (exchange->stream != nullptr) exchange->transport->close(*exchange->stream);
    with_body_.erase(exchange);
    with_state_.erase(exchange);
    delete exchange;
    exchange = nullptr;
}

bool HttpServer::admits_websocket(lws* wsi, bool& has_token) {
    const Request request = read_request(wsi, header_of(wsi, WSI_TOKEN_GET_URI));
    std::optional<Response> refusal = find_refusal(request, true);
    const bool is_echo = gateway_.options().echo && request.path == kEcho;
    const std::string protocols = header_of(wsi, WSI_TOKEN_PROTOCOL);
    if (!refusal && request.path != "/v1/ws" && !is_echo) refusal = error_response(404, "not_found", "WebSockets are at /v1/ws");
    if (!refusal && !is_echo && protocols.find("swarmbus.v1.json") == std::string::npos &&
        protocols.find("swarmbus.v1.fb") == std::string::npos) {
        refusal = error_response(400, "subprotocol", "ask for the subprotocol swarmbus.v1.json or swarmbus.v1.fb");
    }
    has_token = access_.needs_token() && !request.authorization.empty();
    if (!refusal && has_token && !access_.allows_token(request.token())) {
        gateway_.metrics().refused(Refusal::token);
        refusal = error_response(401, "token", "the token is not known");
    }
    if (refusal) send(wsi, request, *refusal);
    return !refusal;
}

void HttpServer::tick(Clock::time_point now) {
    std::erase_if(with_body_, [&](HttpExchange* exchange) {
        if (now - exchange->begun < gateway_.options().request_timeout) return false;
        gateway_.metrics().refused(Refusal::timeout);
        send(exchange->wsi, exchange->request, too_slow());
        exchange->is_given_up = true;
        hang_up(exchange->wsi);
        return true;
    });
    for (HttpExchange* exchange : with_state_) {
        if (exchange->uptake->is_stuck(now, gateway_.options().request_timeout)) hang_up(exchange->wsi);
    }
    sse_.tick(now);
    poll_.tick(now);
}

void HttpServer::shut_down(const ByeMessage& bye) {
    is_shutting_down_ = true;
    api_.shut_down();
    say_goodbye(bye);
}

void HttpServer::say_goodbye(const ByeMessage& bye) {
    for (HttpStreamTransport* transport : {static_cast<HttpStreamTransport*>(&sse_), static_cast<HttpStreamTransport*>(&poll_)}) {
        for (Client* client : transport->clients()) {
            ByeMessage own = bye;
            own.cursor = gateway_.cursor_of(*client);
            transport->shut_down(*client, own);
        }
    }
}

}  // namespace swarmbus::gateway
