// What clients of the gateway ask for in a URL and in headers, decoded: refused, or a subscription. A line each: the parameters, by '&';
// Last-Event-ID; Authorization.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/fuzz/expect.hpp"
#include "ws_gateway/server/request.hpp"

namespace {

using namespace swarmbus;

std::string_view take_until(std::string_view& text, char end) {
    const std::string_view part = text.substr(0, text.find(end));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    return part;
}

void check(const gateway::Subscription& wanted) {
    fuzzing::expect(wanted.batch && wanted.batch->count() >= 0 && wanted.batch->count() <= 60'000, "batches last a minute at most");
    fuzzing::expect(wanted.max_rate && *wanted.max_rate <= 1'000'000, "rates have a limit");
    if (wanted.since) fuzzing::expect(gateway::parse_cursor(gateway::text_of(*wanted.since)) == wanted.since, "a cursor can be written");
    for (const std::string& pattern : wanted.patterns) {
        fuzzing::expect(pattern.find(',') == std::string::npos, "patterns are told apart by commas", pattern);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(data), size);
    gateway::Request request;
    std::string_view query = take_until(text, '\n');
    while (!query.empty()) request.query.push_back(gateway::split_parameter(take_until(query, '&')));
    request.last_event_id = take_until(text, '\n');
    request.authorization = text;
    (void)request.token();
    try {
        check(gateway::subscription_in(request).subscription);
    } catch (const gateway::CommandError& e) {
        const gateway::Response response = gateway::error_response(e);
        fuzzing::expect(response.status == 400, "what is asked for wrongly is answered with 400", response.body);
        fuzzing::expect_json(response.body);
    }
    return 0;
}
