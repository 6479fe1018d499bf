#include "ws_gateway/server/request.hpp"

#include <algorithm>
#include <charconv>

#include "src/tool/text.hpp"

namespace swarmbus::gateway {
namespace {

constexpr int kBackAfterSeconds = 2;

}  // namespace

std::string Request::parameter(std::string_view name) const {
    for (const auto& [key, value] : query) {
        if (key == name) return value;
    }
    return {};
}

std::string Request::token() const {
    // Names of schemes are the same in any case (RFC 9110).
    constexpr std::string_view kScheme = "bearer ";
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    if (!std::ranges::equal(authorization.substr(0, kScheme.size()), kScheme, {}, lower)) return {};
    return authorization.substr(std::min(authorization.find_first_not_of(' ', kScheme.size()), authorization.size()));
}

Response error_response(int status, std::string_view code, std::string_view message) {
    Response response;
    response.status = status;
    response.body = "{\"error\":{\"code\":";
    tool::append_json_string(response.body, code);
    response.body += ",\"message\":";
    tool::append_json_string(response.body, message);
    response.body += "}}\n";
    return response;
}

Response too_slow() { return error_response(408, "too_slow", "the request was not there in time (--request-timeout)"); }

Response error_response(const CommandError& error) {
    const std::string_view code = error.code();
    return error_response(code == "not_allowed" ? 403 : code == "bus" ? 503 : 400, code, error.what());
}

void ask_to_come_back(Response& response) { response.headers.emplace_back("Retry-After", std::to_string(kBackAfterSeconds)); }

std::string text_of(const Response& response, std::string_view headers, bool with_body) {
    std::string text = "HTTP/1.1 " + std::to_string(response.status) + " " + std::string(reason_phrase(response.status)) + "\r\n";
    if (response.status != 204)
        text += "Content-Type: " + response.content_type + "\r\nContent-Length: " + std::to_string(response.body.size()) + "\r\n";
    text += "Cache-Control: no-store\r\n";
    for (const auto& [name, value] : response.headers) text += name + ": " + value + "\r\n";
    text += headers;
    text += "\r\n";
    if (with_body) text += response.body;
    return text;
}

std::string_view reason_phrase(int status) noexcept {
    switch (status) {
    case 200: return "OK";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 413: return "Content Too Large";
    case 426: return "Upgrade Required";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    default: return "Error";
    }
}

std::pair<std::string, std::string> split_parameter(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) return {std::string(text), {}};
    return {std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

std::uint32_t number_in(const Request& request, std::string_view name, std::uint32_t otherwise, std::uint32_t most) {
    const std::string text = request.parameter(name);
    if (text.empty()) return otherwise;
    std::uint32_t number = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    if (read.ec != std::errc() || read.ptr != end || number > most) {
        throw CommandError("bad_query", "'" + std::string(name) + "' is not a whole number from 0 to " + std::to_string(most));
    }
    return number;
}

SubscribeCommand subscription_in(const Request& request) {
    Subscription wanted;
    for (const auto& [name, value] : request.query) {
        if (name != "pattern") continue;
        for (std::size_t begin = 0; begin <= value.size();) {
            const std::size_t end = std::min(value.find(',', begin), value.size());
            wanted.patterns.push_back(value.substr(begin, end - begin));
            begin = end + 1;
        }
    }
    const std::string since = request.last_event_id.empty() ? request.parameter("since") : request.last_event_id;
    if (!since.empty()) {
        wanted.since = parse_cursor(since);
        if (!wanted.since) throw CommandError("bad_cursor", "'" + since + "' is no cursor");
    }
    wanted.snapshot = number_in(request, "snapshot", 0, 1) == 1;
    wanted.batch = std::chrono::milliseconds(number_in(request, "batch_ms", 0, kLongestBatchMs));
    wanted.coalesce = number_in(request, "coalesce", 0, 1) == 1;
    wanted.max_rate = number_in(request, "max_rate", 0, kMostRate);
    return {{}, wanted};
}

}  // namespace swarmbus::gateway
