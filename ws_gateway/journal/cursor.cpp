#include "ws_gateway/journal/cursor.hpp"

#include <charconv>
#include <random>
#include <system_error>

namespace swarmbus::gateway {
namespace {

constexpr std::size_t kEpochDigits = 16;

}  // namespace

void append_cursor(std::string& out, Cursor cursor) {
    char digits[20];
    const char* const end = std::to_chars(digits, digits + sizeof digits, cursor.epoch, 16).ptr;
    out.append(kEpochDigits - static_cast<std::size_t>(end - digits), '0');
    out.append(static_cast<const char*>(digits), end);
    out += '-';
    out.append(static_cast<const char*>(digits),
               static_cast<const char*>(std::to_chars(digits, digits + sizeof digits, cursor.offset).ptr));
}

std::string text_of(Cursor cursor) {
    std::string text;
    append_cursor(text, cursor);
    return text;
}

std::optional<Cursor> parse_cursor(std::string_view text) noexcept {
    if (text.size() < kEpochDigits + 2 || text[kEpochDigits] != '-') return std::nullopt;
    Cursor cursor;
    const char* const begin = text.data();
    const char* const dash = begin + kEpochDigits;
    const char* const end = begin + text.size();
    if (const auto epoch = std::from_chars(begin, dash, cursor.epoch, 16); epoch.ec != std::errc() || epoch.ptr != dash)
        return std::nullopt;
    if (const auto offset = std::from_chars(dash + 1, end, cursor.offset); offset.ec != std::errc() || offset.ptr != end)
        return std::nullopt;
    return cursor;
}

std::uint64_t random_epoch() {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
}

}  // namespace swarmbus::gateway
