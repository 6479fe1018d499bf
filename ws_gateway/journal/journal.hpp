// The last events that the gateway took from the bus, in order, each with an offset one higher than the one before.
// Bounded in bytes: the oldest make room, whatever was encoded of others; that has its own bounds. One thread.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "ws_gateway/journal/blocks.hpp"
#include "ws_gateway/journal/cursor.hpp"
#include "ws_gateway/journal/event_types.hpp"
#include "ws_gateway/journal/lane.hpp"
#include "ws_gateway/journal/record.hpp"

namespace swarmbus::gateway {

// Encodings of events; a lane each.
enum class Format : std::uint8_t {
    json,  // ,{"type":…}
    sse,   // id: …\ndata: {…}\n\n
    flat,  // a frame of gateway.fbs
};
inline constexpr std::size_t kFormats = 3;

// One for each format; not owned.
using Encoders = std::array<EventEncoder*, kFormats>;

// Is told what comes and goes.
class JournalListener {
public:
    virtual ~JournalListener() = default;
    virtual void appended(const Record& record) = 0;
    virtual void loss_appended(const BusLoss& loss) = 0;
    virtual void evicted(TypeId type) = 0;
    virtual void loss_evicted() = 0;
};

class Journal {
public:
    // Instead of types:
    static constexpr TypeId kLoss = ~TypeId{0};    // here the bus lost events
    static constexpr TypeId kNothing = kLoss - 1;  // nobody gets it

    struct Entry {
        Blocks::Piece piece;
        TypeId type;

        bool is_loss() const noexcept { return type == kLoss; }
        bool is_event() const noexcept { return type < kNothing; }
    };

    Journal(std::uint64_t epoch, std::size_t max_bytes, const Encoders& encoders);
    ~Journal();
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    std::uint64_t epoch() const noexcept { return epoch_; }
    // Of the oldest event that is kept; one more than last() if there is none.
    std::uint64_t first() const noexcept { return first_; }
    // Of the newest event; 0 if there was none.
    std::uint64_t last() const noexcept { return first_ + entries_.size() - 1; }
    Cursor cursor_at(std::uint64_t offset) const noexcept { return {epoch_, offset}; }

    // Appends a copy, and trims. Its offset is set here, and its type's number by the name.
    void append(Record record);
    void append(const BusLoss& loss);
    // Uses up an offset: cursors given before are lower than those given from here on.
    void append_nothing();
    // Forgets what was encoded longest ago, so that it fits into a share of max_bytes; it can be encoded again.
    void trim_encoded();

    // From first() to last().
    const Entry& entry(std::uint64_t offset) const noexcept { return entries_[offset - first_]; }
    Record record(std::uint64_t offset) const;
    BusLoss loss(std::uint64_t offset) const noexcept;
    // Of an event. Valid until append() or trim_encoded().
    const Blocks::Piece& encoded(Format format, std::uint64_t offset);

    EventTypes& types() noexcept { return types_; }
    const EventTypes& types() const noexcept { return types_; }
    void add_listener(JournalListener& listener) { listeners_.push_back(&listener); }

    // With what is encoded.
    std::size_t bytes() const noexcept;
    std::size_t events() const noexcept { return entries_.size(); }

private:
    std::size_t own_bytes() const noexcept { return blocks_.bytes() + entries_.size() * sizeof(Entry); }
    // Forgets the oldest until all fits; the newest stays in any case.
    void trim();
    void drop_oldest();

    const std::uint64_t epoch_;
    const std::size_t max_bytes_;
    EventTypes types_;
    Blocks blocks_;
    std::deque<Entry> entries_;
    std::uint64_t first_ = 1;
    std::array<std::unique_ptr<Lane>, kFormats> lanes_;
    std::vector<JournalListener*> listeners_;
};

}  // namespace swarmbus::gateway
