#include "ws_gateway/delivery/batch.hpp"

namespace swarmbus::gateway {

Place place_at(const Journal& journal, const Filter& filter, std::uint64_t offset) {
    std::uint64_t behind = 0;
    for (std::uint64_t at = offset + 1; at <= filter.last(); ++at) behind += filter.matches(journal.entry(at)) ? 1 : 0;
    return {offset, filter.appended() - behind};
}

const Batch& Batcher::next(const Filter& filter, Place& place, Format format, const BatchLimits& limits) {
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
    while (place.offset < journal_.last() && batch_.bytes < limits.bytes && batch_.events < limits.events) {
        const Journal::Entry& entry = journal_.entry(place.offset + 1);
        if (entry.is_loss()) return;
        ++place.offset;
        if (!filter.matches(entry.type)) continue;
        ++place.passed;
        if (batch_.events++ == 0) batch_.oldest_ns = record_in(entry.piece).time_ns;
        add(journal_.encoded(format, place.offset).view());
    }
}

void Batcher::gather_last(const Filter& filter, Place& place, Format format, const BatchLimits& limits) {
    chosen_.clear();
    seen_.clear();
    std::size_t bytes = 0;
    for (; place.offset < journal_.last() && bytes < limits.bytes; ++place.offset) {
        const Journal::Entry& entry = journal_.entry(place.offset + 1);
        if (entry.is_loss()) break;
        if (!filter.matches(entry.type)) continue;
        const Record record = record_in(entry.piece);
        // One that takes the place of another is none too many.
        if (batch_.events == limits.events && !seen_.contains(Key{record.type, record.subject})) break;
        ++place.passed;
        if (batch_.oldest_ns == 0) batch_.oldest_ns = record.time_ns;
        const std::string_view piece = journal_.encoded(format, place.offset + 1).view();
        const auto [known, is_new] = seen_.try_emplace(Key{record.type, record.subject}, chosen_.size());
        if (!is_new) {
            bytes -= chosen_[known->second].size();
            chosen_[known->second] = {};
            known->second = chosen_.size();
            ++batch_.coalesced;
        } else {
            ++batch_.events;
        }
        chosen_.push_back(piece);
        bytes += piece.size();
    }
    for (const std::string_view piece : chosen_) {
        if (!piece.empty()) add(piece);
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
