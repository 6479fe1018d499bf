#include "ws_gateway/journal/record.hpp"

#include <cstring>

namespace swarmbus::gateway {
namespace {

// In front of payload, source and subject.
struct Kept {
    std::uint64_t offset, time_ns, sequence, omitted_bytes, payload_bytes;
    std::uint32_t writer, encoding, type;
    std::uint16_t source_bytes, subject_bytes;
};
static_assert(sizeof(Kept) % 8 == 0);

}  // namespace

Blocks::Piece keep(Blocks& blocks, const Record& record) {
    const Kept kept{record.offset,
                    record.time_ns,
                    record.sequence,
                    record.omitted_bytes,
                    record.payload.size(),
                    record.writer,
                    record.encoding,
                    record.type,
                    static_cast<std::uint16_t>(record.source.size()),
                    static_cast<std::uint16_t>(record.subject.size())};
    const Blocks::Piece piece = blocks.reserve(sizeof kept + record.payload.size() + record.source.size() + record.subject.size(), true);
    char* at = piece.data;
    const auto append = [&at](const void* bytes, std::size_t count) {
        if (count > 0) std::memcpy(at, bytes, count);
        at += count;
    };
    append(&kept, sizeof kept);
    append(record.payload.data(), record.payload.size());
    append(record.source.data(), record.source.size());
    append(record.subject.data(), record.subject.size());
    return piece;
}

Record record_in(const Blocks::Piece& piece) noexcept {
    Kept kept;
    std::memcpy(&kept, piece.data, sizeof kept);
    Record record;
    record.offset = kept.offset;
    record.time_ns = kept.time_ns;
    record.sequence = kept.sequence;
    record.writer = kept.writer;
    record.encoding = kept.encoding;
    record.type = kept.type;
    record.omitted_bytes = kept.omitted_bytes;
    const char* at = piece.data + sizeof kept;
    record.payload = {at, kept.payload_bytes};
    at += kept.payload_bytes;
    record.source = {at, kept.source_bytes};
    at += kept.source_bytes;
    record.subject = {at, kept.subject_bytes};
    return record;
}

}  // namespace swarmbus::gateway
