// The reader's half of the inbox protocol: take what is ready, give it back, pass what is not.
//
// One reader at a time; the caller sees to that. tests/models/inbox.pml checks these steps.
#pragma once

#include <bitset>
#include <cstdint>
#include <utility>

#include "src/inbox/ring.hpp"
#include "src/overflow.hpp"

namespace swarmbus::core {

// What the reader asks about the writer of a claim that stays unready.
class WriterLiveness {
public:
    // Whether the writer's process looks dead. The reader may then take the position away, which is
    // right against the living too; no proof is needed.
    virtual bool looks_dead(std::uint32_t writer) = 0;

protected:
    ~WriterLiveness() = default;
};

class InboxReader {
public:
    InboxReader(const Ring& ring, Overflow policy, std::uint64_t stall_timeout_ns) noexcept;

    struct Taken {
        Position first = 0;
        std::uint32_t count = 0;
    };
    // Up to `max` consecutive events that are ready; they stay untouched until release() or the
    // next take(). count 0: nothing is ready.
    Taken take(std::uint32_t max) noexcept;
    // Gives back what take() gave. In a block or drop_newest inbox this makes room.
    void release() noexcept;
    bool holds_events() const noexcept { return taken_.count > 0; }
    // Positions passed because their words made no sense, since the last call.
    std::uint32_t damaged_positions() noexcept { return std::exchange(damaged_positions_, 0u); }

    enum class Behind {
        empty,    // nobody writes at head
        writing,  // a claim without an event; the wait is within the stall timeout
        passed,   // something changed or was passed: take again
    };
    // Why nothing is ready. Passes the position of a writer that is dead or has stalled. When
    // `writing`, remaining_ns says how long the writer still has.
    Behind look_behind(std::uint64_t now_ns, WriterLiveness& liveness, std::uint64_t& remaining_ns) noexcept;
    // The reader itself was stopped: time that passed meanwhile is no evidence against writers.
    void forget_stall() noexcept { stalled_claim_ = Claim{}; }
    // The writer has delivered: it is not suspected at once any more.
    void made_progress(std::uint32_t writer) noexcept {
        if (any_suspected_) [[unlikely]]
            suspected_.reset(writer & 0xfffu);
    }

    const Ring& ring() const noexcept { return ring_; }
    // Evictions that made room before what the last successful take() gave: head told at that moment.
    std::uint64_t evictions_before_taken() const noexcept { return evictions_before_taken_; }
    // Exact count of evictions, from head's 16 bits and the count beside it.
    std::uint64_t evictions() const noexcept;
    // The nearest value to `about` whose low 16 bits are `low`.
    static std::uint64_t exact_evictions(std::uint64_t about, std::uint16_t low) noexcept;

private:
    void pass(Head head) noexcept;
    void move_head(Head from, Head to) noexcept;
    void mend(Head head, State state) noexcept;
    void pass_damaged(Head head) noexcept;
    bool suspect(Head head, Claim claim) noexcept;
    std::uint32_t count_ready(Position first, std::uint32_t max) const noexcept;

    Ring ring_;
    Overflow policy_;
    std::uint64_t stall_timeout_ns_;
    Taken taken_;
    std::uint64_t evictions_before_taken_ = 0;
    std::uint32_t damaged_positions_ = 0;
    // What was first seen unready at head, and since when. Claims of one lap look alike: the position
    // belongs to it.
    Position stalled_at_ = 0;
    Claim stalled_claim_;
    std::uint64_t stalled_since_ns_ = 0;
    bool any_suspected_ = false;
    std::bitset<SWB_WRITERS> suspected_;
};

}  // namespace swarmbus::core
