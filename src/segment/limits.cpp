#include "src/segment/limits.hpp"

#include <bit>
#include <string>

#include "src/error.hpp"
#include "src/segment/memory.hpp"

namespace swarmbus::core {
namespace {

template <typename Number>
void set_within(Number& value, Number fallback, Number low, Number high, const char* name) {
    if (value == 0) value = fallback;
    if (value < low || value > high) {
        throw Error(SWB_ERR_ARGUMENT, std::string(name) + " is " + std::to_string(value) + "; it must be from " + std::to_string(low) +
                                          " to " + std::to_string(high));
    }
}

}  // namespace

bool valid_capacity(std::uint32_t slots) noexcept { return std::has_single_bit(slots) && slots >= kMinCapacity && slots <= kMaxCapacity; }

std::uint64_t block_bytes(std::uint32_t capacity, std::uint32_t slot_bytes) noexcept {
    return to_pages(SWB_PATTERN_AREA_BYTES + std::uint64_t{capacity} * (8 + slot_bytes));
}

Limits complete(Limits limits) {
    const Limits& d = kDefaultLimits;
    set_within(limits.max_participants, d.max_participants, 1u, 32768u, "max_participants");
    set_within(limits.max_subscribers, d.max_subscribers, 1u, 4096u, "max_subscribers");
    set_within(limits.max_types, d.max_types, 1u, 65000u, "max_types");
    set_within(limits.slot_bytes, d.slot_bytes, 64u, 65536u, "slot_bytes");
    if (limits.slot_bytes % 64 != 0) {
        throw Error(SWB_ERR_ARGUMENT, "slot_bytes is " + std::to_string(limits.slot_bytes) + "; it must be a multiple of 64");
    }
    if (limits.default_capacity == 0) limits.default_capacity = d.default_capacity;
    if (!valid_capacity(limits.default_capacity)) {
        throw Error(SWB_ERR_ARGUMENT,
                    "default_capacity is " + std::to_string(limits.default_capacity) + "; it must be a power of two from 16 to 65536");
    }
    const std::uint64_t one = block_bytes(limits.default_capacity, limits.slot_bytes);
    set_within(limits.ring_bytes, d.ring_bytes, one, std::uint64_t{1} << 42, "ring_bytes");
    limits.ring_bytes = to_pages(limits.ring_bytes);
    return limits;
}

swb_l_header plan(const Limits& limits) noexcept {
    swb_l_header h{};
    h.magic = SWB_LAYOUT_MAGIC;
    h.version = SWB_LAYOUT_VERSION;
    h.slot_bytes = limits.slot_bytes;
    h.max_participants = limits.max_participants;
    h.max_subscribers = limits.max_subscribers;
    h.max_types = limits.max_types;
    h.default_capacity = limits.default_capacity;
    h.ring_bytes = limits.ring_bytes;
    h.strict = limits.strict;
    const std::uint64_t route_words = (limits.max_subscribers + 63) / 64;
    h.route_stride = (8 + 8 * route_words + 63) / 64 * 64;
    std::uint64_t at = SWB_PAGE;
    const auto place = [&at](std::uint64_t bytes) {
        const std::uint64_t here = at;
        at += (bytes + SWB_LINE - 1) / SWB_LINE * SWB_LINE;
        return here;
    };
    h.participants_at = place(std::uint64_t{limits.max_participants} * sizeof(swb_l_participant));
    h.writers_at = place(std::uint64_t{SWB_WRITERS} * sizeof(swb_l_writer));
    h.types_at = place(std::uint64_t{limits.max_types} * sizeof(swb_l_type));
    h.routes_at = place(std::uint64_t{limits.max_types} * h.route_stride);
    h.subscribers_at = place(std::uint64_t{limits.max_subscribers} * sizeof(swb_l_subscriber));
    h.lines_at = place(std::uint64_t{limits.max_subscribers} * sizeof(swb_l_inbox));
    h.rings_at = to_pages(at);
    h.schemas_at = h.rings_at + limits.ring_bytes;
    h.file_bytes = h.schemas_at + to_pages(SWB_REGISTRATIONS * sizeof(swb_l_registration)) + SWB_SCHEMAS_BYTES;
    return h;
}

std::uint64_t layout_hash(const swb_l_header& h) noexcept {
    // FNV-1a over the numbers that two builds must agree on.
    std::uint64_t hash = 0xcbf29ce484222325ull;
    const auto mix = [&hash](std::uint64_t value) {
        for (int byte = 0; byte < 8; ++byte) {
            hash ^= (value >> (8 * byte)) & 0xff;
            hash *= 0x100000001b3ull;
        }
    };
    for (const std::uint64_t value : {std::uint64_t{h.version},
                                      std::uint64_t{h.slot_bytes},
                                      std::uint64_t{h.max_participants},
                                      std::uint64_t{h.max_subscribers},
                                      std::uint64_t{h.max_types},
                                      std::uint64_t{h.default_capacity},
                                      h.ring_bytes,
                                      h.participants_at,
                                      h.writers_at,
                                      h.types_at,
                                      h.routes_at,
                                      h.subscribers_at,
                                      h.lines_at,
                                      h.rings_at,
                                      h.schemas_at,
                                      h.file_bytes,
                                      h.route_stride,
                                      std::uint64_t{sizeof(swb_l_slot)},
                                      std::uint64_t{sizeof(swb_l_inbox)},
                                      std::uint64_t{SWB_PATTERN_COPY_BYTES}}) {
        mix(value);
    }
    return hash == 0 ? 1 : hash;
}

Limits limits_of(const swb_l_header& h) noexcept {
    return {h.max_participants, h.max_subscribers, h.max_types, h.slot_bytes, h.default_capacity, h.ring_bytes, h.strict};
}

}  // namespace swarmbus::core
