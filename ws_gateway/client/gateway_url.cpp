#include "ws_gateway/client/gateway_url.hpp"

#include <charconv>
#include <stdexcept>
#include <string_view>

#include "src/tool/text.hpp"

namespace swarmbus::remote {
namespace {

constexpr std::string_view kScheme = "ws://";

// What can't be in a header line, or means something else there.
bool is_plain(std::string_view text) noexcept {
    for (const char c : text) {
        if (static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7f) return false;
    }
    return true;
}

}  // namespace

std::string GatewayUrl::authority() const {
    const bool is_ipv6 = host.find(':') != std::string::npos;
    return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string GatewayUrl::text() const { return std::string(kScheme) + authority() + path; }

GatewayUrl parse_gateway_url(const std::string& text) {
    const auto wrong = [&](const std::string& what) {
        // A token that somebody put there is not repeated.
        const std::string shown = text.find('@') == std::string::npos ? "'" + tool::printable(text) + "' " : "the URL ";
        return std::invalid_argument(shown + what);
    };
    if (text.starts_with("wss://") || text.starts_with("https://"))
        throw wrong("asks for TLS, which there is not yet; use ws://, through a tunnel (ssh -L) where others could listen");
    if (!text.starts_with(kScheme)) throw wrong("is not ws://HOST:PORT");
    if (!is_plain(text)) throw wrong("has blanks or characters that are not ASCII");
    std::string_view rest = std::string_view(text).substr(kScheme.size());
    if (rest.find_first_of("?#") != std::string_view::npos) throw wrong("has a query or a fragment, which a gateway has not");
    GatewayUrl url;
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    url.path = rest.substr(slash);
    rest = rest.substr(0, slash);
    while (url.path.ends_with('/')) url.path.pop_back();
    if (rest.find('@') != std::string_view::npos) throw wrong("has a user; a token goes into the environment (SWARMBUS_TOKEN) or a file");

    std::size_t colon = rest.rfind(':');
    if (rest.starts_with('[')) {
        const std::size_t bracket = rest.find(']');
        if (bracket == std::string_view::npos) throw wrong("has a '[' without ']'");
        url.host = rest.substr(1, bracket - 1);
        colon = bracket + 1 < rest.size() ? bracket + 1 : std::string_view::npos;
        if (colon != std::string_view::npos && rest[colon] != ':') throw wrong("has something between ']' and the port");
    } else {
        url.host = rest.substr(0, colon);
        if (url.host.find(':') != std::string::npos) throw wrong("has an IPv6 address without brackets: ws://[::1]:7480");
    }
    if (url.host.empty()) throw wrong("has no host");
    if (colon != std::string_view::npos) {
        const char* const end = rest.data() + rest.size();
        const auto read = std::from_chars(rest.data() + colon + 1, end, url.port);
        if (read.ec != std::errc() || read.ptr != end || url.port == 0) throw wrong("has no port from 1 to 65535");
    }
    return url;
}

}  // namespace swarmbus::remote
