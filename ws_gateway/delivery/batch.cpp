#include "ws_gateway/delivery/batch.hpp"

#include <algorithm>

namespace swarmbus::gateway {
namespace {

// Entries that are looked at for one message, however few of them match or are not replaced: then others have their turn.
constexpr std::uint64_t kMostLooks = 16'384;

}  // namespace

Place place_at(const Journal& journal, const Filter& filter, std::uint64_t offset) {
    std::uint64_t behind = 0;
    for (std::uint64_t at = offset + 1; at <= filter.last(); ++at) behind += filter.matches(journal.entry(at)) ? 1 : 0;
    return {offset, filter.appended() - behind};
}

const Batch& Batcher::next(const Filter& filter, Place& place, Format format, const BatchLimits& limits) {
    journal_.trim_encoded();
    batch_.kind = Batch::Kind::none;
    batch_.events = batch_.coalesced = batch_.bytes = batch_.oldest_ns = 0;
    batch_.pieces.clear();
    if (place.offset + 1 < journal_.first()) {
        const std::uint64_t missed = filter.evicted() - place.passed;
        place = {journal_.first() - 1, filter.evicted()};
        if (missed > 0) {
            batch_.kind = Batch::Kind::missed;
            batch_.events = missed;
            return batch_;
        }
    }
    // Nothing that matches: no need to look at what lies between.
    if (filter.last() <= place.offset) {
        place.offset = journal_.last();
        return batch_;
    }
    limits.coalesce ? gather_last(filter, place, format, limits) : gather_all(filter, place, format, limits);
    if (batch_.events > 0) {
        batch_.kind = Batch::Kind::events;
    } else if (place.offset < journal_.last() && journal_.entry(place.offset + 1).is_loss()) {
        batch_.kind = Batch::Kind::lost;
        batch_.loss = journal_.loss(++place.offset);
        ++place.passed;
    }
    return batch_;
}

void Batcher::gather_all(const Filter& filter, Place& place, Format format, const BatchLimits& limits) {
    const std::uint64_t end = std::min(journal_.last(), place.offset + kMostLooks);
    while (place.offset < end && batch_.bytes < limits.bytes && batch_.events < limits.events) {
        const Journal::Entry& entry = journal_.entry(place.offset + 1);
        if (entry.is_loss()) return;
        ++place.offset;
        if (!filter.matches(entry)) continue;
        ++place.passed;
        if (batch_.events++ == 0) batch_.oldest_ns = record_in(entry.piece).time_ns;
        add(journal_.encoded(format, place.offset).view());
    }
}

void Batcher::gather_last(const Filter& filter, Place& place, Format format, const BatchLimits& limits) {
    chosen_.clear();
    seen_.clear();
    const std::uint64_t end = std::min(journal_.last(), place.offset + kMostLooks);
    const auto bytes_of = [&](std::uint64_t offset) { return journal_.entry(offset).piece.bytes; };  // about, whatever the format
    std::size_t bytes = 0;
    for (; place.offset < end && bytes < limits.bytes; ++place.offset) {
        const Journal::Entry& entry = journal_.entry(place.offset + 1);
        if (entry.is_loss()) break;
        if (!filter.matches(entry)) continue;
        const Record record = record_in(entry.piece);
        // One that takes the place of another is none too many.
        if (batch_.events == limits.events && !seen_.contains(Key{record.type, record.subject})) break;
        ++place.passed;
        if (batch_.oldest_ns == 0) batch_.oldest_ns = record.time_ns;
        const auto [known, is_new] = seen_.try_emplace(Key{record.type, record.subject}, chosen_.size());
        if (!is_new) {
            bytes -= bytes_of(chosen_[known->second]);
            chosen_[known->second] = 0;
            known->second = chosen_.size();
            ++batch_.coalesced;
        } else {
            ++batch_.events;
        }
        chosen_.push_back(place.offset + 1);
        bytes += bytes_of(place.offset + 1);
    }
    for (const std::uint64_t offset : chosen_) {
        if (offset > 0) add(journal_.encoded(format, offset).view());
    }
}

void Batcher::add(std::string_view piece) {
    batch_.bytes += piece.size();
    if (!batch_.pieces.empty()) {
        std::string_view& before = batch_.pieces.back();
        if (before.data() + before.size() == piece.data()) {
            before = {before.data(), before.size() + piece.size()};
            return;
        }
    }
    batch_.pieces.push_back(piece);
}

}  // namespace swarmbus::gateway
