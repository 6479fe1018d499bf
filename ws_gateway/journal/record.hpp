// An event as the gateway keeps it: a copy, which nobody else can change any more.
#pragma once

#include <swarmbus.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "ws_gateway/journal/blocks.hpp"

namespace swarmbus::gateway {

// Of an event type, while the gateway runs.
using TypeId = std::uint32_t;

// What the bus lost for the gateway.
struct BusLoss {
    std::array<std::uint64_t, SWB_LOSS_CAUSES> by_cause{};
    bool reattached = false;  // the bus was opened anew: more may be missing, and nobody knows how much

    std::uint64_t events() const noexcept {
        std::uint64_t sum = 0;
        for (const std::uint64_t lost : by_cause) sum += lost;
        return sum;
    }
};

struct Record {
    std::uint64_t offset = 0;  // in the journal
    std::uint64_t time_ns = 0, sequence = 0;
    std::uint32_t writer = 0;
    std::uint32_t encoding = SWB_BYTES;
    TypeId type = 0;
    std::string_view type_name, source, subject;
    std::string_view payload;         // 8-byte aligned
    std::uint64_t omitted_bytes = 0;  // of a payload that was too large to keep; `payload` is empty then
};

// Copies what the record shows, but not the name of its type.
Blocks::Piece keep(Blocks& blocks, const Record& record);

// What was kept. Views into the piece; the name of the type is left out.
Record record_in(const Blocks::Piece& piece) noexcept;

}  // namespace swarmbus::gateway
