// An event in a slot: header, optional fields, payload.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "src/segment/layout.h"

namespace swarmbus::core {

// What a publisher writes. Texts are at most 127 bytes (source 63) and checked by the caller. Only what a caller may
// leave out is cleared: clearing all of it costs as much as the locked instructions of a publish.
struct OutgoingEvent {
    std::uint16_t type;  // index, or SWB_TYPE_INLINE with inline_type set
    std::uint16_t writer;
    std::uint16_t lease;
    std::uint8_t encoding = 0;
    std::uint64_t sequence;
    std::uint64_t time_ns;
    std::string_view inline_type;
    std::string_view source;  // only if it differs from the writer's own
    std::string_view subject;
    std::span<const std::byte> payload;
    const swb_l_large* large = nullptr;  // where the payload lies, if not in the slot; `payload` is empty then
};

// What a reader finds. Points into the slot. What every event has is left to decode() to set.
struct IncomingEvent {
    std::uint16_t type;
    std::uint16_t writer;
    std::uint16_t lease;
    std::uint8_t encoding;
    std::uint64_t sequence;
    std::uint64_t time_ns;
    std::uint64_t dropped = 0;  // the inbox's sum of drops when the slot was claimed
    std::string_view inline_type;
    std::string_view source;
    std::string_view subject;          // NUL-terminated, like all texts
    const std::byte* large = nullptr;  // where the slot says that the payload lies elsewhere; `payload` is empty then
    std::span<const std::byte> payload;
};

// Where the payload of an event lies that is large. A copy: what is checked is what is used.
inline swb_l_large place_of_large(const IncomingEvent& event) noexcept {
    swb_l_large place;
    std::memcpy(&place, event.large, sizeof place);
    return place;
}

// Bytes an event takes in a slot, the drop count included whether it will be there or not.
std::size_t slot_bytes_of(const OutgoingEvent& event) noexcept;

// Whether it goes into a slot with its payload. Absurd lengths of a payload are no trouble.
inline bool fits_in_slot(const OutgoingEvent& event, std::size_t slot_bytes) noexcept {
    if (event.payload.size() > slot_bytes) [[unlikely]]
        return false;
    if ((event.inline_type.size() | event.source.size() | event.subject.size()) == 0) [[likely]]
        return sizeof(swb_l_slot) + 8 + event.payload.size() <= slot_bytes;
    return slot_bytes_of(event) <= slot_bytes;
}

// The optional fields, for encode(). Puts them at `at`, which moves behind them; returns their flags.
[[gnu::noinline]] unsigned encode_optional_fields(std::byte*& at, const OutgoingEvent& event, std::uint64_t dropped) noexcept;

inline constexpr std::uint64_t kSequenceMask = (std::uint64_t{1} << 48) - 1;

// Writes everything but the state word. The event fits: slot_bytes_of(event) <= slot size.
// dropped: 0 leaves the field out.
inline void encode(std::byte* slot, const OutgoingEvent& event, std::uint64_t dropped) noexcept {
    auto& header = *reinterpret_cast<swb_l_slot*>(slot);
    std::byte* at = slot + sizeof header;
    unsigned flags = 0;
    if ((dropped | event.inline_type.size() | event.source.size() | event.subject.size() | (event.large != nullptr ? 1u : 0u)) != 0)
        [[unlikely]] {
        flags = encode_optional_fields(at, event, dropped);
    }
    if (!event.payload.empty()) [[likely]]
        std::memcpy(at, event.payload.data(), event.payload.size());
    header.sequence = (event.sequence & kSequenceMask) | std::uint64_t{event.lease} << 48;
    header.time_ns = event.time_ns;
    header.type = event.type;
    header.writer = event.writer;
    header.payload_bytes = static_cast<std::uint16_t>(event.payload.size());
    header.flags = static_cast<std::uint8_t>(flags);
    header.encoding = event.encoding;
}

// An event without optional fields, as most are. False: it has some, or is damaged; decode() tells.
inline bool decode_plain(const std::byte* slot, std::size_t slot_bytes, IncomingEvent& event) noexcept {
    const auto& header = *reinterpret_cast<const swb_l_slot*>(slot);
    event.type = header.type;
    event.writer = header.writer;
    event.lease = static_cast<std::uint16_t>(header.sequence >> 48);
    event.encoding = header.encoding;
    event.sequence = header.sequence & kSequenceMask;
    event.time_ns = header.time_ns;
    event.payload = {slot + sizeof header, header.payload_bytes};
    return header.flags == 0 && event.payload.size() <= slot_bytes - sizeof header;
}

// False when the slot is damaged (a length that leads out of it, an unknown flag).
bool decode(const std::byte* slot, std::size_t slot_bytes, IncomingEvent& event) noexcept;

}  // namespace swarmbus::core
