// Requests and answers of HTTP, as far as the gateway looks at them.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ws_gateway/server/commands.hpp"

namespace swarmbus::gateway {

struct Request {
    std::string method;  // "GET", "HEAD", "POST", "OPTIONS"; "" for others
    std::string path;
    std::vector<std::pair<std::string, std::string>> query;  // decoded
    std::string body;
    std::string host, origin, authorization, last_event_id;

    std::string parameter(std::string_view name) const;
    // Of "Authorization: Bearer TOKEN".
    std::string token() const;
};

struct Response {
    int status = 200;
    std::string body;
    std::string content_type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers;
};

Response error_response(int status, std::string_view code, std::string_view message);
Response too_slow();  // 408
// Of a command that came by HTTP.
Response error_response(const CommandError& error);
// Of 429 and 503: comes back no sooner.
void ask_to_come_back(Response& response);
std::string_view reason_phrase(int status) noexcept;
// As it goes to the peer, with further headers, each ended by its line's end.
std::string text_of(const Response& response, std::string_view headers, bool with_body);

// "name=value", as it is decoded already.
std::pair<std::string, std::string> split_parameter(std::string_view text);

// pattern, since (Last-Event-ID goes before it), snapshot, batch_ms, coalesce, max_rate. Throws CommandError.
SubscribeCommand subscription_in(const Request& request);
// A whole number, or `otherwise` if there is none. Throws CommandError.
std::uint32_t number_in(const Request& request, std::string_view name, std::uint32_t otherwise, std::uint32_t most);

}  // namespace swarmbus::gateway
