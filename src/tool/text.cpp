#include "src/tool/text.hpp"

#include <cstdint>
#include <nlohmann/json.hpp>

namespace swarmbus::tool {
namespace {

constexpr std::size_t kDeepestJson = 64;
constexpr char kHexDigits[] = "0123456789abcdef";

void append_hex(std::string& out, std::string_view prefix, std::uint32_t value, int digits) {
    out += prefix;
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += kHexDigits[value >> shift & 0xf];
}

bool is_json_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto [bytes, code] = core::first_utf8_character(text);
        if (bytes == 0) {
            append_hex(out, "\\x", static_cast<std::uint8_t>(text[0]), 2);
        } else if (code == '\n') {
            out += "\\n";
        } else if (code == '\r') {
            out += "\\r";
        } else if (code == '\t') {
            out += "\\t";
        } else if (code < 0x20 || code == 0x7f) {
            append_hex(out, "\\x", code, 2);
        } else if ((code >= 0x80 && code < 0xa0) || code == 0x2028 || code == 0x2029) {
            append_hex(out, "\\u", code, 4);
        } else {
            out += text.substr(0, bytes);
        }
        text.remove_prefix(bytes == 0 ? 1 : bytes);
    }
    return out;
}

std::size_t width_of(std::string_view printable_text) noexcept {
    std::size_t width = 0;
    for (const char c : printable_text) width += (static_cast<std::uint8_t>(c) & 0xc0) != 0x80;
    return width;
}

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        const auto [bytes, code] = core::first_utf8_character(text);
        if (bytes == 0) {
            out += "\xef\xbf\xbd";
        } else if (code == '"' || code == '\\') {
            out += '\\';
            out += text[0];
        } else if (code == '\n') {
            out += "\\n";
        } else if (code < 0x20 || code == 0x7f) {
            append_hex(out, "\\u", code, 4);
        } else {
            out += text.substr(0, bytes);
        }
        text.remove_prefix(bytes == 0 ? 1 : bytes);
    }
    out += '"';
}

bool append_json_value(std::string& out, std::string_view text) {
    while (!text.empty() && is_json_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_json_space(text.back())) text.remove_suffix(1);
    // The parser forgives a byte order mark, which is wrong inside a line.
    if (text.starts_with("\xef\xbb\xbf") || !nlohmann::json::accept(text)) return false;
    const std::size_t before = out.size();
    std::size_t depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            out += c;
            if (c == '\\') out += text[++i];
            if (c == '"') in_string = false;
            continue;
        }
        if (c == '"') in_string = true;
        if (c == ']' || c == '}') --depth;
        if ((c == '[' || c == '{') && ++depth > kDeepestJson) {
            out.resize(before);
            return false;
        }
        out += is_json_space(c) ? ' ' : c;
    }
    return true;
}

}  // namespace swarmbus::tool
