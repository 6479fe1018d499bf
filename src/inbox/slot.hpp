// An event in a slot: header, optional fields, payload.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "src/segment/layout.h"

namespace swarmbus::core {

// What a publisher writes. Texts are at most 127 bytes (source 63) and checked by the caller.
struct OutgoingEvent {
    std::uint16_t type = 0;          // index, or SWB_TYPE_INLINE with inline_type set
    std::uint16_t writer = 0;
    std::uint16_t lease = 0;
    std::uint8_t encoding = 0;
    std::uint64_t sequence = 0;
    std::uint64_t time_ns = 0;
    std::string_view inline_type;
    std::string_view source;         // only if it differs from the writer's own
    std::string_view subject;
    std::span<const std::byte> payload;
};

// What a reader finds. Points into the slot.
struct IncomingEvent {
    std::uint16_t type = 0;
    std::uint16_t writer = 0;
    std::uint16_t lease = 0;
    std::uint8_t encoding = 0;
    std::uint64_t sequence = 0;
    std::uint64_t time_ns = 0;
    std::uint64_t dropped = 0;  // the inbox's sum of drops when the slot was claimed
    std::string_view inline_type;
    std::string_view source;
    std::string_view subject;  // NUL-terminated, like all texts
    std::span<const std::byte> payload;
};

// Bytes an event takes in a slot, the drop count included whether it will be there or not.
std::size_t slot_bytes_of(const OutgoingEvent& event) noexcept;

// Writes everything but the state word. The event fits: slot_bytes_of(event) <= slot size.
// dropped: 0 leaves the field out.
void encode(std::byte* slot, const OutgoingEvent& event, std::uint64_t dropped) noexcept;

// The optional fields, for decode(). Takes them off the front of `rest`; false: damaged.
bool decode_optional_fields(unsigned flags, std::span<const std::byte>& rest, IncomingEvent& event) noexcept;

// False when the slot is damaged (a length that leads out of it, an unknown flag).
inline bool decode(const std::byte* slot, std::size_t slot_bytes, IncomingEvent& event) noexcept {
    const auto& header = *reinterpret_cast<const swb_l_slot*>(slot);
    event.type = header.type;
    event.writer = header.writer;
    event.lease = static_cast<std::uint16_t>(header.sequence >> 48);
    event.encoding = header.encoding;
    event.sequence = header.sequence << 16 >> 16;
    event.time_ns = header.time_ns;
    std::span<const std::byte> rest(slot + sizeof header, slot_bytes - sizeof header);
    if (header.flags != 0 && !decode_optional_fields(header.flags, rest, event)) return false;
    const std::size_t payload_bytes = header.payload_bytes;
    if (payload_bytes > rest.size()) return false;
    event.payload = rest.first(payload_bytes);
    return true;
}

}  // namespace swarmbus::core
