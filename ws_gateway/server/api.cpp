#include "ws_gateway/server/api.hpp"

#include <array>
#include <cstdio>
#include <string_view>

#include "src/error.hpp"
#include "src/tool/text.hpp"
#include "src/types/schema.hpp"
#include "src/types/schema_print.hpp"
#include "ws_gateway/messages/json_messages.hpp"
#include "ws_gateway/page.hpp"

namespace swarmbus::gateway {
namespace {

constexpr std::string_view kSchemas = "/v1/schemas/";

void append_member(std::string& out, std::string_view key, std::string_view value) {
    out += '"';
    out += key;
    out += "\":";
    tool::append_json_string(out, value);
}

std::string hash_text(std::uint64_t hash) {
    char text[17];
    std::snprintf(text, sizeof text, "%016lx", static_cast<unsigned long>(hash));
    return text;
}

Response json(std::string body) {
    Response response;
    response.body = std::move(body) + "\n";
    return response;
}

Response with_type(std::string body, std::string type) {
    Response response;
    response.body = std::move(body);
    response.content_type = std::move(type);
    return response;
}

}  // namespace

Response Api::answer(const Request& request) {
    try {
        return answer_known(request);
    } catch (const CommandError& e) {
        gateway_.note_refused(e);
        return error_response(e);
    } catch (const core::Error& e) {
        return error_response(503, "bus", e.what());
    } catch (const Error& e) {
        return e.code() == SWB_ERR_NO_SCHEMA ? error_response(404, "no_schema", e.what()) : error_response(503, "bus", e.what());
    }
}

Response Api::answer_known(const Request& request) {
    const bool is_get = request.method == "GET" || request.method == "HEAD";
    if (request.path == "/v1/events" && request.method == "POST") return publish(request);
    const auto refuse = [&](const char* allowed) {
        Response response = error_response(405, "method", "this answers " + std::string(allowed) + " only");
        response.headers.emplace_back("Allow", allowed);
        return response;
    };
    if (request.path == "/v1/events" || request.path == "/v1/ws" || request.path == "/v1/sse" || request.path == "/v1/state") {
        return refuse(request.path == "/v1/events" ? "GET, POST" : "GET");
    }
    const std::array<std::string_view, 6> known = {"/", "/v1/participants", "/v1/types", "/healthz", "/readyz", "/metrics"};
    const bool is_known = std::ranges::find(known, request.path) != known.end() || request.path.starts_with(kSchemas);
    if (!is_known) return error_response(404, "not_found", "there is nothing at '" + request.path + "'");
    if (!is_get) return refuse("GET, HEAD");
    if (request.path == "/v1/types") return types();
    if (request.path == "/v1/participants") return with_type(participants_.json(Clock::now()), "application/json");
    if (request.path == "/healthz") return json("{\"status\":\"alive\"}");
    if (request.path == "/readyz") return ready();
    if (request.path == "/metrics") return with_type(gateway_.metrics().text(), "text/plain; version=0.0.4; charset=utf-8");
    if (request.path == "/") return with_type(std::string(kPage), "text/html; charset=utf-8");
    return schema(request);
}

Response Api::publish(const Request& request) {
    const std::vector<PublishCommand> publications = publications_from_json(request.body);
    std::string published;
    for (const PublishCommand& publication : publications) {
        try {
            const PublishedMessage done = gateway_.publish(publication);
            published += published.empty() ? "" : ",";
            published += "{\"sequence\":" + std::to_string(done.sequence) + ",\"delivered\":" + std::to_string(done.delivered) +
                         ",\"dropped\":" + std::to_string(done.dropped) + "}";
        } catch (const CommandError& e) {
            gateway_.note_refused(e);
            Response response = error_response(e);
            // Those before it are published: say so, and go on with "error".
            response.body = "{\"published\":[" + published + "]," + response.body.substr(1);
            return response;
        }
    }
    return json("{\"published\":[" + published + "]}");
}

Response Api::types() {
    std::string body = "{\"types\":[";
    const char* separator = "";
    for (const RegisteredType& type : gateway_.bus().types()) {
        body += separator;
        body += '{';
        append_member(body, "type", type.name);
        body += ',';
        append_member(body, "table", type.root);
        body += ",\"version\":" + std::to_string(type.version) + ",";
        append_member(body, "hash", hash_text(type.hash));
        body += '}';
        separator = ",";
    }
    return json(body + "]}");
}

Response Api::schema(const Request& request) {
    const RegisteredType type = gateway_.bus().type(request.path.substr(kSchemas.size()));
    const std::string format = request.parameter("format");
    if (format == "bfbs") {
        return with_type(std::string(reinterpret_cast<const char*>(type.schema.data()), type.schema.size()), "application/octet-stream");
    }
    const core::Schema parsed(type.schema, type.root);
    if (format == "fbs") return with_type(core::fbs_of(parsed), "text/plain; charset=utf-8");
    if (!format.empty() && format != "json") throw CommandError("bad_query", "'format' is json, fbs or bfbs");
    return with_type(core::json_schema_of(parsed) + "\n", "application/schema+json");
}

SnapshotAnswer::Parts Api::state(const Request& request) {
    SubscribeCommand command = subscription_in(request);
    if (command.subscription.patterns.empty()) command.subscription.patterns = {"*"};
    check_patterns(command.subscription.patterns, gateway_.options().max_patterns, {});
    Hub& hub = gateway_.hub();
    SnapshotAnswer::Parts parts{hub.filters().with(command.subscription.patterns), gateway_.latest().walk(), {}, "]}\n"};
    parts.before = hub.is_complete(*parts.filter) ? "{\"complete\":true" : "{\"complete\":false";
    append_cursor_member(parts.before, gateway_.journal().cursor_at(parts.walk.began()));
    parts.before += ",\"events\":[";
    return parts;
}

Response Api::ready() const {
    if (shutting_down_) return error_response(503, "shutting_down", "the gateway is about to end");
    if (!gateway_.bus_trouble().empty()) return error_response(503, "bus", gateway_.bus_trouble());
    return json("{\"status\":\"ready\"}");
}

}  // namespace swarmbus::gateway
