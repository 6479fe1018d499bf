// An inbox in private memory, for tests that set its words by hand and look at them afterwards.
#pragma once

#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <ostream>
#include <set>
#include <vector>

#include "src/inbox/publish_side.hpp"
#include "src/inbox/reader.hpp"
#include "src/segment/limits.hpp"

namespace swarmbus::core {

// How gtest shows the words.
inline const char* name_of(Mark mark) {
    return mark == Mark::owned ? "OWNED" : mark == Mark::doubt ? "DOUBT" : mark == Mark::revoked ? "REVOKED" : "?";
}
inline void PrintTo(Claim c, std::ostream* out) {
    *out << "claim(lap " << c.lap() << ", writer " << c.writer() << ", " << name_of(c.mark()) << ")";
}
inline void PrintTo(State s, std::ostream* out) {
    *out << "state(lap " << s.lap() << ", status " << static_cast<unsigned>(s.status()) << ")";
}
inline void PrintTo(Head h, std::ostream* out) { *out << "head(" << h.at() << ", evicted " << h.evicted() << ")"; }
inline void PrintTo(Holding h, std::ostream* out) { *out << "holding(" << h.first() << ", " << h.count() << ")"; }

}  // namespace swarmbus::core

namespace swarmbus::test {

using namespace swarmbus::core;

// A ring of slots that carry one number each. All positions before `first` were written and read.
class PrivateRing {
public:
    static constexpr std::uint32_t kSlotBytes = 64;

    explicit PrivateRing(std::uint32_t capacity = kMinCapacity) : PrivateRing(capacity, capacity) {}
    PrivateRing(std::uint32_t capacity, Position first)
        : words_(new swb_l_inbox{}),
          block_(static_cast<std::byte*>(::operator new (block_bytes(capacity, kSlotBytes), std::align_val_t{SWB_PAGE}))),
          ring_(Ring::in_block(*words_, block_.get(), capacity, kSlotBytes)) {
        std::memset(block_.get(), 0, block_bytes(capacity, kSlotBytes));
        for (Position p = position(first - capacity); p != position(first); p = position(p + 1)) {
            set_claim(p, 0);
            set_state(p, Status::ready);
        }
        words_->hint = first;
        set_head(first);
    }

    const Ring& ring() const noexcept { return ring_; }
    swb_l_inbox& words() const noexcept { return *words_; }
    std::uint32_t capacity() const noexcept { return ring_.capacity; }

    // What a publisher keeps about this inbox right after it has looked at it.
    Target target(Overflow policy) const {
        Target target;
        target.ring = ring_;
        target.gate = Gate::of(1, SWB_GATE_ACTIVE);
        target.policy = policy;
        target.head = head();
        target.holding = holding();
        return target;
    }

    // The words of a position.
    Claim claim(Position p) const noexcept { return {ring_.claim(p)}; }
    Claim as_claim(Position p, std::uint32_t writer, Mark mark = Mark::owned) const noexcept {
        return Claim::of(ring_.lap(p), writer, mark);
    }
    void set_claim(Position p, std::uint32_t writer, Mark mark = Mark::owned) const noexcept {
        ring_.claim(p) = as_claim(p, writer, mark).raw;
    }
    State state(Position p) const noexcept { return {ring_.state(p)}; }
    bool ready(Position p) const noexcept { return state(p).ready_at(ring_.lap(p)); }
    bool skip(Position p) const noexcept { return state(p).skip_at(ring_.lap(p)); }
    bool unwritten(Position p) const noexcept { return state(p).lap() == ring_.lap_before(p); }
    void set_state(Position p, Status status) const noexcept { ring_.state(p) = State::of(ring_.lap(p), status).raw; }

    // The words of the reader.
    Head head() const noexcept { return {words_->head}; }
    void set_head(Position p, std::uint16_t evicted = 0) const noexcept { words_->head = Head::of(position(p), evicted).raw; }
    Holding holding() const noexcept { return {words_->holding}; }
    void set_holding(Position first, std::uint16_t count) const noexcept { words_->holding = Holding::of(first, count).raw; }

    // The event of a position.
    std::uint64_t value(Position p) const noexcept {
        std::uint64_t value = 0;
        std::memcpy(&value, ring_.slot(p) + sizeof(swb_l_slot), sizeof value);
        return value;
    }
    void set_value(Position p, std::uint64_t value) const noexcept {
        std::memcpy(ring_.slot(p) + sizeof(swb_l_slot), &value, sizeof value);
    }
    void put_ready(Position p, std::uint32_t writer) const noexcept {
        set_claim(p, writer);
        set_value(p, p);
        set_state(p, Status::ready);
    }
    // Committed events of `writer` in every slot, the oldest at head.
    void fill(std::uint32_t writer) const noexcept {
        const Position head_at = head().at();
        for (std::uint32_t i = 0; i < capacity(); ++i) put_ready(position(head_at + i), writer);
        words_->hint = position(head_at + capacity());
    }

private:
    struct FreeBlock {
        void operator()(std::byte* block) const noexcept { ::operator delete (block, std::align_val_t{SWB_PAGE}); }
    };
    std::unique_ptr<swb_l_inbox> words_;
    std::unique_ptr<std::byte[], FreeBlock> block_;
    Ring ring_;
};

// What is known of the writers. Remembers who was asked about, and can change words while asked:
// between two looks of the code under test.
class Witness final : public DeathEvidence, public WriterLiveness {
public:
    std::set<std::uint32_t> dead;
    std::vector<std::uint32_t> asked;
    std::function<void()> meanwhile = [] {};

    bool proven_dead(std::uint32_t writer) override { return answer(writer); }
    bool looks_dead(std::uint32_t writer) override { return answer(writer); }

private:
    bool answer(std::uint32_t writer) {
        asked.push_back(writer);
        meanwhile();
        return dead.contains(writer);
    }
};

}  // namespace swarmbus::test
