#include "src/inbox/slot.hpp"

#include <cstring>

namespace swarmbus::core {
namespace {

constexpr unsigned kKnownFlags = SWB_SLOT_DROPPED | SWB_SLOT_TYPE | SWB_SLOT_SOURCE | SWB_SLOT_SUBJECT;
constexpr std::uint64_t kSequenceMask = (std::uint64_t{1} << 48) - 1;

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
           event.payload.size();
}

void encode(std::byte* slot, const OutgoingEvent& event, std::uint64_t dropped) noexcept {
    auto& header = *reinterpret_cast<swb_l_slot*>(slot);
    unsigned flags = 0;
    std::byte* at = slot + sizeof header;
    if (dropped != 0) {
        flags |= SWB_SLOT_DROPPED;
        std::memcpy(at, &dropped, sizeof dropped);
        at += sizeof dropped;
    }
    if (!event.inline_type.empty()) {
        flags |= SWB_SLOT_TYPE;
        at = put_text(at, event.inline_type);
    }
    if (!event.source.empty()) {
        flags |= SWB_SLOT_SOURCE;
        at = put_text(at, event.source);
    }
    if (!event.subject.empty()) {
        flags |= SWB_SLOT_SUBJECT;
        at = put_text(at, event.subject);
    }
    if (!event.payload.empty()) std::memcpy(at, event.payload.data(), event.payload.size());
    header.sequence = (event.sequence & kSequenceMask) | std::uint64_t{event.lease} << 48;
    header.time_ns = event.time_ns;
    header.type = event.type;
    header.writer = event.writer;
    header.payload_bytes = static_cast<std::uint16_t>(event.payload.size());
    header.flags = static_cast<std::uint8_t>(flags);
    header.encoding = event.encoding;
}

bool decode_optional_fields(unsigned flags, std::span<const std::byte>& rest, IncomingEvent& event) noexcept {
    if ((flags & ~kKnownFlags) != 0) return false;
    if ((flags & SWB_SLOT_DROPPED) != 0) {
        std::memcpy(&event.dropped, rest.data(), sizeof event.dropped);
        rest = rest.subspan(sizeof event.dropped);
    }
    if ((flags & SWB_SLOT_TYPE) != 0 && !take_text(rest, event.inline_type)) return false;
    if ((flags & SWB_SLOT_SOURCE) != 0 && !take_text(rest, event.source)) return false;
    return (flags & SWB_SLOT_SUBJECT) == 0 || take_text(rest, event.subject);
}

}  // namespace swarmbus::core
