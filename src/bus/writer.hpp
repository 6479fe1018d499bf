// One publishing thread with one handle: its writer id, and what it knows about the inboxes it
// publishes to. Used by that thread only.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "src/arena/arenas.hpp"
#include "src/bus/event_type.hpp"
#include "capi/swarmbus.h"
#include "src/clock/clock.hpp"
#include "src/error.hpp"
#include "src/inbox/publish_side.hpp"
#include "src/inbox/slot.hpp"
#include "src/life/attachment.hpp"
#include "src/life/writer_lease.hpp"
#include "src/words/table_words.hpp"

namespace swarmbus::core {

// An event to publish. The caller sets what it says; publish() adds type, writer, sequence and time.
struct Message : OutgoingEvent {
    std::uint64_t block_timeout_ns = 0;
    bool loaned = false;  // the payload is a chunk of the arena, given away with the event
};

struct Delivery {
    std::uint64_t sequence = 0;
    std::uint32_t delivered = 0;
    std::uint32_t dropped = 0;
    std::array<std::uint32_t, kLossCauses> dropped_by{};
    std::uint32_t writer = 0;
};

class Writer {
public:
    // Leases an id. Throws SWB_ERR_WRITERS_FULL.
    Writer(std::shared_ptr<Attachment> attachment, std::string_view source, std::uint64_t handle);
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    // Publishes to every matching inbox. SWB_OK, SWB_DROPPED, SWB_ERR_TOO_LARGE or SWB_ERR_REENTRANT.
    // Throws std::bad_alloc, before anything is published, for a type that is not in the table.
    Result publish(EventType& type, Message& message, Delivery& delivery);
    // The same by name, found without a lock when this thread has used it before. Throws SWB_ERR_TYPE_NAME.
    Result publish(EventTypes& types, std::string_view type, Message& message, Delivery& delivery);

    // The inboxes whose patterns match a type, one bit each, read as safely as they are published to.
    std::vector<std::uint64_t> matching_inboxes(std::string_view type);

    // Closing, from another thread: from close() and a barrier on, a publish either has been seen by
    // inside_publish() or finds the writer closed. The id goes back when nobody is inside.
    void close() noexcept;
    void give_back() noexcept;
    bool inside_publish() const noexcept { return inside_.load(kLoadAfterFence); }
    std::uint32_t id() const noexcept { return lease_.id; }
    std::uint64_t handle() const noexcept { return handle_; }

private:
    struct Committed {
        Target* target;
        Position at;
        std::uint32_t inbox;
    };

    class Inside;
    struct Reading;

    Result publish_inside(EventType& type, Message& message, Delivery& delivery);
    [[gnu::cold]] Result place_in_arena(Message& message);
    [[gnu::cold]] void remember_holder(const Committed& committed) noexcept;
    [[gnu::cold]] bool may_pin(Target& target) noexcept;
    [[gnu::always_inline]] void delivered(const Committed& committed, const OutgoingEvent& event, Delivery& delivery) noexcept;
    void prefetch(std::uint32_t inbox, std::size_t payload_bytes) noexcept;
    static void prefetch_slot(const Target& target, Position p, std::size_t from, std::size_t payload_bytes) noexcept;
    [[gnu::always_inline]] Target* enter(std::uint32_t inbox, std::uint32_t place, const OutgoingEvent& event, Delivery& delivery) noexcept;
    [[gnu::cold]] bool open_target(Target& target, std::uint32_t inbox, Gate gate) noexcept;
    void leave(std::uint32_t place) noexcept { words::unname_inbox(*line_, place); }
    [[gnu::noinline]] void publish_by_patterns(EventType& type, const Message& event, Delivery& delivery);
    [[gnu::noinline]] void publish_to_each(std::uint64_t bits, std::uint32_t base, const OutgoingEvent& event, Delivery& delivery) noexcept;
    [[gnu::always_inline]] void publish_to(std::uint32_t inbox, const OutgoingEvent& event, Delivery& delivery) noexcept;
    [[gnu::always_inline]] bool write(Target& target, const OutgoingEvent& event, Position& at, ClaimResult& result) noexcept;
    [[gnu::cold]] void refused(const Target& target, std::uint32_t inbox, ClaimResult result, Delivery& delivery) noexcept;
    [[gnu::always_inline]] void finish(const OutgoingEvent& event, Delivery& delivery) noexcept;
    [[gnu::noinline]] void finish_early(const OutgoingEvent& event, Delivery& delivery) noexcept;  // with others to come
    [[gnu::cold]] void wait_for_room(std::uint32_t inbox, EventType& type, const Message& message, std::uint64_t deadline_ns,
                                     Delivery& delivery) noexcept;
    [[gnu::cold, gnu::noinline]] void publish_again(std::uint32_t place, Committed& committed, const OutgoingEvent& event,
                                                    Delivery& delivery) noexcept;
    [[gnu::cold]] void drop(std::uint32_t inbox, LossCause cause, Delivery& delivery) noexcept;

    std::shared_ptr<Attachment> attachment_;
    const std::uint64_t handle_;  // its id
    WriterLease lease_;
    swb_l_writer* line_;
    std::atomic<bool> inside_{false};  // this process's own; line_->inside tells the others
    std::atomic<bool> closed_{false};
    const bool fences_itself_;  // the process is not registered for membarrier
    std::uint32_t thread_id_;
    std::uint64_t next_sequence_;
    StampClock clock_;
    std::uint64_t looked_ns_ = 0;  // when this thread last looked after its process's place on the bus
    std::vector<Target> targets_;  // by inbox
    std::array<Committed, SWB_NAMED_INBOXES> committed_;
    std::uint32_t committed_count_ = 0;
    std::vector<std::uint32_t> full_;  // block inboxes to wait for
    TypesByName types_;
    // Of the large event that is being published.
    swb_l_large large_{};
    LoanedChunk chunk_;
    std::vector<ChunkHolder> chunk_holders_;
};

}  // namespace swarmbus::core
