#include "ws_gateway/journal/latest.hpp"

#include <algorithm>
#include <cstring>

namespace swarmbus::gateway {

Latest::Latest(Journal& journal, std::size_t max_bytes) : journal_(journal), max_bytes_(max_bytes) { journal.add_listener(*this); }

Latest::Walk Latest::walk() const noexcept {
    Walk walk;
    walk.began_ = journal_.last();
    return walk;
}

void Latest::appended(const Record& record) {
    const auto found = by_key_.find(Key{record.type, record.subject});
    std::size_t place;
    if (found != by_key_.end()) {
        place = found->second;
        bytes_ -= cost_of(places_[place]);
        by_key_.erase(found);  // its subject is about to be written anew
        by_age_.splice(by_age_.end(), by_age_, places_[place].age);
    } else {
        if (free_.empty()) {
            places_.emplace_back();
            free_.push_back(places_.size() - 1);
        }
        place = free_.back();
        free_.pop_back();
        places_[place].age = by_age_.insert(by_age_.end(), place);
    }
    Kept& kept = places_[place];
    store(kept, record);
    by_key_.emplace(Key{kept.type, kept.subject()}, place);
    bytes_ += cost_of(kept);
    while (bytes_ > max_bytes_ && by_age_.size() > 1) {
        is_complete_ = false;
        forget(by_age_.front());
    }
}

// What is known of a bus that is gone is not true of the one that took its name.
void Latest::loss_appended(const BusLoss& loss) {
    is_complete_ = false;
    while (loss.reattached && !by_age_.empty()) forget(by_age_.front());
}

void Latest::store(Kept& kept, const Record& record) {
    const std::size_t needed = std::max<std::size_t>(1, record.payload.size() + record.source.size() + record.subject.size());
    if (kept.bytes == nullptr || kept.room < needed || kept.room > 2 * needed + 64) {
        kept.bytes = std::make_unique_for_overwrite<char[]>(needed);
        kept.room = needed;
    }
    kept.offset = record.offset;
    kept.time_ns = record.time_ns;
    kept.sequence = record.sequence;
    kept.payload_bytes = record.payload.size();
    kept.omitted_bytes = record.omitted_bytes;
    kept.writer = record.writer;
    kept.encoding = record.encoding;
    kept.source_bytes = static_cast<std::uint16_t>(record.source.size());
    kept.subject_bytes = static_cast<std::uint16_t>(record.subject.size());
    kept.type = record.type;
    char* at = kept.bytes.get();
    for (const std::string_view part : {record.payload, record.source, record.subject}) {
        at = std::copy(part.begin(), part.end(), at);
    }
}

void Latest::forget(std::size_t place) {
    Kept& kept = places_[place];
    bytes_ -= cost_of(kept);
    by_key_.erase(Key{kept.type, kept.subject()});
    by_age_.erase(kept.age);
    kept.bytes.reset();
    kept.room = 0;
    free_.push_back(place);
}

Record Latest::record_of(const Kept& kept) const {
    Record record;
    record.offset = kept.offset;
    record.time_ns = kept.time_ns;
    record.sequence = kept.sequence;
    record.writer = kept.writer;
    record.encoding = kept.encoding;
    record.type = kept.type;
    record.omitted_bytes = kept.omitted_bytes;
    record.type_name = journal_.types().name_of(kept.type);
    const char* at = kept.bytes.get();
    record.payload = {at, kept.payload_bytes};
    record.source = {at + kept.payload_bytes, kept.source_bytes};
    record.subject = kept.subject();
    return record;
}

}  // namespace swarmbus::gateway
