// Leasing writer ids: one CAS, no lock. An id is leased anew only after all others were, so that
// late readers can still tell whose an event was.
#pragma once

#include <cstdint>
#include <string_view>

#include "src/segment/segment.hpp"
#include "src/words/position.hpp"

namespace swarmbus::core {

struct WriterLease {
    std::uint32_t id;
    Lease lease;
};

// Throws SWB_ERR_WRITERS_FULL.
WriterLease lease_writer(Segment& segment, std::uint32_t participant, std::uint32_t generation, std::string_view source);
// The writer is not inside publish and names no inbox.
void release_writer(Segment& segment, const WriterLease& writer) noexcept;

// The source of events of that lease; false when the id has been leased to somebody else since.
bool read_source(Segment& segment, std::uint32_t writer, std::uint16_t lease, char (&source)[SWB_SOURCE_BYTES]) noexcept;

}  // namespace swarmbus::core
