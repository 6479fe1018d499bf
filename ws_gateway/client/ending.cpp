#include "ws_gateway/client/ending.hpp"

#include <charconv>

#include "src/tool/text.hpp"

namespace swarmbus::remote {
namespace {

constexpr std::size_t kMostText = 200;

EndingClass class_of_close(std::uint16_t code) noexcept {
    switch (code) {
    case 1002:
    case 1003:
    case 1007:
    case 1008:
    case 1009: return EndingClass::never;
    case 1011:
    case 1013: return EndingClass::back_off;
    default: break;
    }
    if (code >= 4000 && code < 4100) return EndingClass::never;
    if (code >= 4100 && code < 4200) return EndingClass::back_off;
    return EndingClass::resume;
}

// Too many, too early, too slow: things that pass. Everything else that is no 5xx is about the request, or from somebody who is no
// gateway.
bool passes(unsigned status) noexcept { return status >= 500 || status == 408 || status == 425 || status == 429; }

const char* meaning_of(unsigned status) noexcept {
    switch (status) {
    case 401: return "it wants a token that it knows";
    case 403: return "it does not serve this name of it, or not to us";
    case 404: return "it has no WebSocket there";
    case 429: return "too many connections";
    case 503: return "it is full or about to end";
    default: return status < 400 ? "that is no gateway" : status >= 500 ? "it is in trouble" : "it does not want this request";
    }
}

}  // namespace

Ending ending_of_close(std::uint16_t code, std::string_view text) {
    if (code == 0) return {EndingClass::resume, "the connection broke"};
    std::string reason = "closed with " + std::to_string(code);
    if (!text.empty()) reason += ": " + tool::printable(text.substr(0, kMostText));
    return {class_of_close(code), std::move(reason)};
}

Ending ending_of_status(unsigned status, std::string_view retry_after) {
    Ending ending{passes(status) ? EndingClass::back_off : EndingClass::never,
                  "answered with HTTP status " + std::to_string(status) + ": " + meaning_of(status)};
    std::uint32_t seconds = 0;
    const char* const end = retry_after.data() + retry_after.size();
    if (const auto read = std::from_chars(retry_after.data(), end, seconds); read.ec == std::errc() && read.ptr == end)
        ending.retry_after = std::chrono::seconds(seconds);
    return ending;
}

Ending ending_of_failure(std::string reason) { return {EndingClass::back_off, std::move(reason)}; }

}  // namespace swarmbus::remote
