#include "ws_gateway/journal/journal.hpp"

#include <algorithm>
#include <cstring>

namespace swarmbus::gateway {
namespace {

// Of what the journal itself may take, for each lane; but enough for some messages.
constexpr std::size_t kShareOfLane = 4, kLeastOfLane = std::size_t{1} << 20;

}  // namespace

Journal::Journal(std::uint64_t epoch, std::size_t max_bytes, const Encoders& encoders) : epoch_(epoch), max_bytes_(max_bytes) {
    for (std::size_t i = 0; i < kFormats; ++i) lanes_[i] = std::make_unique<Lane>(*encoders[i]);
}

Journal::~Journal() {
    for (const Entry& entry : entries_) {
        if (entry.piece.block != nullptr) blocks_.take_away(entry.piece);
    }
}

void Journal::append(Record record) {
    record.offset = last() + 1;
    record.type = types_.id_of(record.type_name);
    entries_.push_back({keep(blocks_, record), record.type});
    for (JournalListener* listener : listeners_) listener->appended(record);
    trim();
}

void Journal::append(const BusLoss& loss) {
    const Blocks::Piece piece = blocks_.reserve(sizeof loss, true);
    std::memcpy(piece.data, &loss, sizeof loss);
    entries_.push_back({piece, kLoss});
    for (JournalListener* listener : listeners_) listener->loss_appended(loss);
    trim();
}

void Journal::append_nothing() { entries_.push_back({{}, kNothing}); }

void Journal::trim() {
    while (entries_.size() > 1 && own_bytes() > max_bytes_) drop_oldest();
}

void Journal::trim_encoded() {
    for (const auto& lane : lanes_) lane->trim(std::max(max_bytes_ / kShareOfLane, kLeastOfLane));
}

void Journal::drop_oldest() {
    const Entry oldest = entries_.front();
    entries_.pop_front();
    ++first_;
    for (const auto& lane : lanes_) lane->drop_before(first_);
    if (oldest.type == kNothing) return;
    blocks_.take_away(oldest.piece);
    for (JournalListener* listener : listeners_) oldest.is_loss() ? listener->loss_evicted() : listener->evicted(oldest.type);
}

Record Journal::record(std::uint64_t offset) const {
    Record record = record_in(entry(offset).piece);
    record.type_name = types_.name_of(record.type);
    return record;
}

BusLoss Journal::loss(std::uint64_t offset) const noexcept {
    BusLoss loss;
    std::memcpy(&loss, entry(offset).piece.data, sizeof loss);
    return loss;
}

const Blocks::Piece& Journal::encoded(Format format, std::uint64_t offset) {
    return lanes_[static_cast<std::size_t>(format)]->at(offset, [&] { return record(offset); });
}

std::size_t Journal::bytes() const noexcept {
    std::size_t bytes = own_bytes();
    for (const auto& lane : lanes_) bytes += lane->bytes();
    return bytes;
}

}  // namespace swarmbus::gateway
