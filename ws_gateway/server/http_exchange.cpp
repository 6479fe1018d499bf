#include "ws_gateway/server/http_exchange.hpp"

#include <charconv>
#include <exception>

#include "ws_gateway/observe/log.hpp"

namespace swarmbus::gateway {
namespace {

constexpr std::string_view kPageRules =
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:";

// Answers that may be larger than what the kernel keeps for one who does not read: so many at a time.
constexpr std::size_t kLargeBytes = 256 << 10, kMostLargeAnswers = 4;

Response come_back_later(std::string_view code, std::string_view message) {
    Response response = error_response(503, code, message);
    response.headers.emplace_back("Retry-After", "1");
    return response;
}

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
    const bool is_probe = request.path == "/healthz" || request.path == "/readyz";
    const bool is_preflight = request.method == "OPTIONS";
    if (is_shutting_down_ && !is_probe && request.path != "/metrics") {
        return send(wsi, request, come_back_later("shutting_down", "the gateway ends"));
    }
    // The page holds no data.
    if (const auto refusal = find_refusal(request, is_probe || is_preflight || request.path == "/")) return send(wsi, request, *refusal);
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
    // More than was announced is the next request, which is not looked at.
    exchange.request.body += bytes.substr(0, exchange.body_bytes - exchange.request.body.size());
    return exchange.request.body.size() == exchange.body_bytes ? body_is_there(exchange) : 0;
}

int HttpServer::body_is_there(HttpExchange& exchange) {
    with_body_.erase(&exchange);
    return answer(exchange);
}

int HttpServer::answer(HttpExchange& exchange) {
    try {
        return answer_known(exchange);
    } catch (const CommandError& e) {
        gateway_.note_refused(e);
        return send(exchange.wsi, exchange.request, error_response(e));
    } catch (const std::exception& e) {
        log_error("http", e.what());
        return send(exchange.wsi, exchange.request, error_response(500, "fault", "a fault of the gateway"));
    }
}

int HttpServer::answer_known(HttpExchange& exchange) {
    const Request& request = exchange.request;
    if (is_large(request)) {
        if (large_answers_.size() >= kMostLargeAnswers) {
            return send(exchange.wsi, request, come_back_later("busy", "too many clients are taking the state; come back later"));
        }
        large_answers_.insert(exchange.wsi);
    }
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
        exchange.stream = exchange.transport->open(exchange.wsi, request, common_headers(request));
        return 0;
    }
    return send(exchange.wsi, request, api_.answer(request));
}

// Whether the answer may hold all of a large state.
bool HttpServer::is_large(const Request& request) const {
    return request.method == "GET" && (request.path == "/v1/state" || request.path == "/v1/events") &&
           gateway_.latest().bytes() > kLargeBytes;
}

std::string HttpServer::common_headers(const Request& request) const {
    std::string headers = "Connection: close\r\nX-Content-Type-Options: nosniff\r\nVary: Origin\r\n";
    if (!request.origin.empty() && access_.allows_origin(request.origin, request.host))
        headers += "Access-Control-Allow-Origin: " + request.origin + "\r\n";
    return headers;
}

int HttpServer::send(lws* wsi, const Request& request, const Response& response) {
    std::string text(LWS_PRE, '\0');
    text += "HTTP/1.1 " + std::to_string(response.status) + " " + std::string(reason_phrase(response.status)) + "\r\n";
    if (response.status != 204)
        text += "Content-Type: " + response.content_type + "\r\nContent-Length: " + std::to_string(response.body.size()) + "\r\n";
    if (response.content_type.starts_with("text/html")) text += "Content-Security-Policy: " + std::string(kPageRules) + "\r\n";
    text += "Cache-Control: no-store\r\n";
    for (const auto& [name, value] : response.headers) text += name + ": " + value + "\r\n";
    text += common_headers(request) + "\r\n";
    if (request.method != "HEAD") text += response.body;
    write(wsi, text.data() + LWS_PRE, text.size() - LWS_PRE, LWS_WRITE_HTTP_FINAL);
    return -1;
}

int HttpServer::writable(HttpExchange& exchange) {
    if (exchange.stream == nullptr) return 0;
    return exchange.transport->writable(*exchange.stream) ? 0 : -1;
}

void HttpServer::closed(HttpExchange*& exchange) {
    if (exchange == nullptr) return;
    if (exchange->stream != nullptr) exchange->transport->close(*exchange->stream);
    with_body_.erase(exchange);
    delete exchange;
    exchange = nullptr;
}

bool HttpServer::admits_websocket(lws* wsi, bool& has_token) {
    const Request request = read_request(wsi, header_of(wsi, WSI_TOKEN_GET_URI));
    std::optional<Response> refusal = find_refusal(request, true);
    if (is_shutting_down_) refusal = come_back_later("shutting_down", "the gateway ends");
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
    for (HttpExchange* exchange : with_body_) {
        if (now - exchange->begun < gateway_.options().request_timeout) continue;
        gateway_.metrics().refused(Refusal::timeout);
        send(exchange->wsi, exchange->request, error_response(408, "too_slow", "the body did not come in time"));
        hang_up(exchange->wsi);
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
