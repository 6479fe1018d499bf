// What a client gets next: the events of its patterns behind its place in the journal, as many as one message takes.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ws_gateway/delivery/filter.hpp"
#include "ws_gateway/journal/journal.hpp"

namespace swarmbus::gateway {

// Where a client is in the journal: everything up to and including `offset` was sent or did not match.
struct Place {
    std::uint64_t offset = 0;
    std::uint64_t passed = 0;  // of the entries that match its filter: as Filter::appended() counts them
};

// The place behind an offset that is in the journal, or just in front of it.
Place place_at(const Journal& journal, const Filter& filter, std::uint64_t offset);

struct BatchLimits {
    std::size_t bytes = std::size_t{64} << 10;  // reached or, with the last event, passed
    std::uint32_t events = ~0u;
    bool coalesce = false;  // of the events with the same type and subject only the last
};

struct Batch {
    enum class Kind {
        none,    // nothing is there
        events,  // `pieces`
        missed,  // so many `events` were pushed out of the journal
        lost,    // by the bus: `loss`
    };
    Kind kind = Kind::none;
    std::uint64_t events = 0;
    std::uint64_t coalesced = 0;           // events that were left out for later ones
    std::vector<std::string_view> pieces;  // encoded events; those that lie in a row as one
    std::size_t bytes = 0;                 // of all pieces
    std::uint64_t oldest_ns = 0;           // when the first event was published
    BusLoss loss;
};

class Batcher {
public:
    explicit Batcher(Journal& journal) : journal_(journal) {}

    // Moves the place behind what the batch holds; `none` in front of the journal's end: so much was looked at in vain, there is more.
    // Valid until the next call, and until the journal changes.
    const Batch& next(const Filter& filter, Place& place, Format format, const BatchLimits& limits);

private:
    struct Key {
        TypeId type;
        std::string_view subject;
        bool operator==(const Key&) const = default;
    };
    struct KeyHash {
        std::size_t operator()(const Key& key) const noexcept { return std::hash<std::string_view>()(key.subject) * 31 + key.type; }
    };

    void gather_all(const Filter& filter, Place& place, Format format, const BatchLimits& limits);
    void gather_last(const Filter& filter, Place& place, Format format, const BatchLimits& limits);
    void add(std::string_view piece);

    Journal& journal_;
    Batch batch_;
    std::vector<std::uint64_t> chosen_;                   // gather_last(): offsets, 0 when a later one took its place
    std::unordered_map<Key, std::size_t, KeyHash> seen_;  // in chosen_
};

}  // namespace swarmbus::gateway
