#include "src/inbox/slot.hpp"

#include <cstring>

namespace swarmbus::core {
namespace {

constexpr unsigned kKnownFlags = SWB_SLOT_DROPPED | SWB_SLOT_TYPE | SWB_SLOT_SOURCE | SWB_SLOT_SUBJECT | SWB_SLOT_LARGE;

// One byte of length, the text, at least one NUL; to a multiple of 8.
constexpr std::size_t text_bytes(std::string_view text) noexcept { return text.empty() ? 0 : (text.size() + 2 + 7) / 8 * 8; }

std::byte* put_text(std::byte* at, std::string_view text) noexcept {
    const std::size_t bytes = text_bytes(text);
    std::memset(at + bytes - 8, 0, 8);
    *at = static_cast<std::byte>(text.size());
    std::memcpy(at + 1, text.data(), text.size());
    return at + bytes;
}

// Takes a text off the front of `rest`; false when it does not fit.
bool take_text(std::span<const std::byte>& rest, std::string_view& text) noexcept {
    if (rest.empty()) return false;
    const std::size_t size = std::to_integer<std::size_t>(rest[0]);
    const std::size_t bytes = (size + 2 + 7) / 8 * 8;
    if (size == 0 || bytes > rest.size()) return false;
    text = std::string_view(reinterpret_cast<const char*>(rest.data()) + 1, size);
    if (std::to_integer<int>(rest[1 + size]) != 0) return false;
    rest = rest.subspan(bytes);
    return true;
}

}  // namespace

std::size_t slot_bytes_of(const OutgoingEvent& event) noexcept {
    return sizeof(swb_l_slot) + 8 + text_bytes(event.inline_type) + text_bytes(event.source) + text_bytes(event.subject) +
           (event.large != nullptr ? sizeof *event.large : event.payload.size());
}

unsigned encode_optional_fields(std::byte*& at, const OutgoingEvent& event, std::uint64_t dropped) noexcept {
    unsigned flags = 0;
    if (dropped != 0) {
        flags |= SWB_SLOT_DROPPED;
        std::memcpy(at, &dropped, sizeof dropped);
        at += sizeof dropped;
    }
    const auto put = [&](std::string_view text, unsigned flag) {
        if (text.empty()) return;
        flags |= flag;
        at = put_text(at, text);
    };
    put(event.inline_type, SWB_SLOT_TYPE);
    put(event.source, SWB_SLOT_SOURCE);
    put(event.subject, SWB_SLOT_SUBJECT);
    if (event.large != nullptr) {
        flags |= SWB_SLOT_LARGE;
        std::memcpy(at, event.large, sizeof *event.large);
        at += sizeof *event.large;
    }
    return flags;
}

bool decode(const std::byte* slot, std::size_t slot_bytes, IncomingEvent& event) noexcept {
    if (decode_plain(slot, slot_bytes, event)) return true;
    const unsigned flags = reinterpret_cast<const swb_l_slot*>(slot)->flags;
    if ((flags & ~kKnownFlags) != 0) return false;
    std::span<const std::byte> rest(slot + sizeof(swb_l_slot), slot_bytes - sizeof(swb_l_slot));
    if ((flags & SWB_SLOT_DROPPED) != 0) {
        std::memcpy(&event.dropped, rest.data(), sizeof event.dropped);
        rest = rest.subspan(sizeof event.dropped);
    }
    if ((flags & SWB_SLOT_TYPE) != 0 && !take_text(rest, event.inline_type)) return false;
    if ((flags & SWB_SLOT_SOURCE) != 0 && !take_text(rest, event.source)) return false;
    if ((flags & SWB_SLOT_SUBJECT) != 0 && !take_text(rest, event.subject)) return false;
    if ((flags & SWB_SLOT_LARGE) != 0) {
        if (rest.size() < sizeof(swb_l_large) || !event.payload.empty()) return false;
        event.large = rest.data();
        rest = rest.subspan(sizeof(swb_l_large));
    }
    if (event.payload.size() > rest.size()) return false;
    event.payload = rest.first(event.payload.size());
    return true;
}

}  // namespace swarmbus::core
