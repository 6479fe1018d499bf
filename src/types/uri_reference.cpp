#include "src/types/uri_reference.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace swarmbus::core {

namespace {

// Locales play no part in URIs.
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_one_of(char c, std::string_view characters) { return characters.find(c) != std::string_view::npos; }

constexpr int hexadecimal(char c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

// But for letters, digits and "-._~", which always are, `kept` characters stay.
std::string percent_encoded(std::string_view text, std::string_view kept) {
    static constexpr char kHexDigits[] = "0123456789ABCDEF";
    std::string encoded;
    encoded.reserve(text.size());
    for (const char c : text) {
        if (is_letter(c) || is_digit(c) || is_one_of(c, "-._~") || is_one_of(c, kept)) {
            encoded += c;
        } else {
            const auto byte = static_cast<std::uint8_t>(c);
            encoded += {'%', kHexDigits[byte >> 4], kHexDigits[byte & 15]};
        }
    }
    return encoded;
}

bool is_scheme(std::string_view text) {
    return !text.empty() && is_letter(text.front()) &&
           std::ranges::all_of(text, [](char c) { return is_letter(c) || is_digit(c) || is_one_of(c, "+-."); });
}

bool is_port(std::string_view text) { return text.empty() || (text.front() == ':' && std::ranges::all_of(text.substr(1), is_digit)); }

bool is_authority(std::string_view text) {
    if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
        if (text.find_first_of("[]") < at) return false;
        text.remove_prefix(at + 1);
    }
    std::size_t host_end = text.find(':');
    if (text.starts_with('[')) {
        const std::size_t close = text.find(']');
        const std::string_view address = text.substr(1, close == std::string_view::npos ? close : close - 1);
        const bool good = close != std::string_view::npos && !address.empty() &&
                          std::ranges::all_of(address, [](char c) { return hexadecimal(c) >= 0 || is_one_of(c, ":."); });
        if (!good) return false;
        host_end = close + 1;
    } else if (text.substr(0, host_end).find_first_of("@[]") != std::string_view::npos) {
        return false;
    }
    return host_end >= text.size() || is_port(text.substr(host_end));
}

// Of a text in which every character may stand somewhere in a URI reference: whether all stand where they may.
bool is_uri_reference(std::string_view text) {
    const std::size_t fragment = text.find('#');
    if (fragment != std::string_view::npos && text.find_first_of("#[]", fragment + 1) != std::string_view::npos) return false;
    std::string_view rest = text.substr(0, fragment);
    const std::size_t query = rest.find('?');
    if (query != std::string_view::npos && rest.find_first_of("[]", query) != std::string_view::npos) return false;
    rest = rest.substr(0, query);
    if (const std::size_t colon = rest.find(':'); colon < rest.find('/')) {
        if (!is_scheme(rest.substr(0, colon))) return false;
        rest.remove_prefix(colon + 1);
    }
    if (rest.starts_with("//")) {
        rest.remove_prefix(2);
        const std::size_t path = rest.find('/');
        if (!is_authority(rest.substr(0, path))) return false;
        rest = path == std::string_view::npos ? std::string_view() : rest.substr(path);
    }
    return rest.find_first_of("[]") == std::string_view::npos;
}

}  // namespace

std::string uri_reference_of(std::string_view text) {
    std::string reference = percent_encoded(text, ":/?#[]@!$&'()*+,;=");
    return is_uri_reference(reference) ? reference : percent_encoded(text, "/");
}

std::string text_of_uri_reference(std::string_view reference) {
    std::string text;
    text.reserve(reference.size());
    for (std::size_t i = 0; i < reference.size(); ++i) {
        const bool escape = reference[i] == '%' && reference.size() - i > 2;
        const int high = escape ? hexadecimal(reference[i + 1]) : -1, low = escape ? hexadecimal(reference[i + 2]) : -1;
        if (high < 0 || low < 0) {
            text += reference[i];
        } else {
            text += static_cast<char>(high << 4 | low);
            i += 2;
        }
    }
    return text;
}

}  // namespace swarmbus::core
