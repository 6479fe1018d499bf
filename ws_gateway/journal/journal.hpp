// The last events that the gateway took from the bus, in order, each with an offset one higher than the one before.
// Bounded in bytes: the oldest make room. One thread.
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
    virtual void loss_appended() = 0;
    virtual void evicted(TypeId type) = 0;
    virtual void loss_evicted() = 0;
};

class Journal {
public:
    static constexpr TypeId kLoss = ~TypeId{0};  // instead of a type: here the bus lost events

    struct Entry {
        Blocks::Piece piece;
        TypeId type;

        bool is_loss() const noexcept { return type == kLoss; }
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
    // Forgets the oldest until all fits in max_bytes, with what was encoded; the newest stays in any case.
    void trim();

    // From first() to last().
    const Entry& entry(std::uint64_t offset) const noexcept { return entries_[offset - first_]; }
    Record record(std::uint64_t offset) const;
    BusLoss loss(std::uint64_t offset) const noexcept;
    // Not of a loss. Valid until append() or trim().
    const Blocks::Piece& encoded(Format format, std::uint64_t offset);

    EventTypes& types() noexcept { return types_; }
    const EventTypes& types() const noexcept { return types_; }
    void add_listener(JournalListener& listener) { listeners_.push_back(&listener); }

    std::size_t bytes() const noexcept;
    std::size_t events() const noexcept { return entries_.size(); }

private:
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
