// A small inbox whose every event is accounted for, whatever order its publishers and its reader run in.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "tests/unit/interleavings/explorer.hpp"
#include "tests/unit/private_ring.hpp"

namespace swarmbus::test {

// A reader that suspects every writer it finds in mid publish, or only the dead.
enum class Reader { suspicious, patient };

// Events are numbers: 100 × writer + 1, 2, 3 in the order they are published.
class Accounts {
public:
    Accounts(Overflow policy, std::uint32_t capacity, Reader kind)
        : box(capacity),
          policy_(policy),
          reader_(box.ring(), policy, kind == Reader::suspicious ? 0 : std::numeric_limits<std::uint64_t>::max()),
          writing_(capacity),
          reading_(capacity) {
        witness.meanwhile = [] { step(); };
    }

    // ---- the steps of a publisher ----

    // The whole of it; false: there was no room.
    bool publish(Target& target, std::uint32_t writer, std::uint64_t value) {
        for (;;) {
            const Claimed got = claim(target, writer, witness);
            if (got.result != ClaimResult::claimed) return false;
            if (write_and_commit(got.at, writer, value)) return true;
        }
    }
    void publish_each(std::uint32_t writer, std::uint64_t first, std::uint64_t last) {
        Target target = box.target(policy_);
        for (std::uint64_t value = first; value <= last; ++value) publish(target, writer, value);
    }
    // For a position that is claimed already. False: to be published anew.
    bool write_and_commit(Position at, std::uint32_t writer, std::uint64_t value) {
        std::uint32_t& slot_writer = writing_[box.ring().index(at)];
        if (slot_writer != 0 || reading_[box.ring().index(at)]) fail("a slot is written that is in use", at);
        slot_writer = writer;
        step();
        box.set_value(at, value);
        step();
        slot_writer = 0;
        commit(box.ring(), at);
        full_fence();
        if (!settle(box.ring(), at, writer)) return false;
        ++sent_;
        return true;
    }
    // For a writer that is behind its commit. Publishes anew when the position was taken away.
    void settle_or_publish(Position at, std::uint32_t writer, std::uint64_t value) {
        Target target = box.target(policy_);
        if (settle(box.ring(), at, writer)) {
            ++sent_;
        } else {
            publish(target, writer, value);
        }
    }
    // For a writer that has claimed.
    void finish_or_publish(Position at, std::uint32_t writer, std::uint64_t value) {
        Target target = box.target(policy_);
        if (!write_and_commit(at, writer, value)) publish(target, writer, value);
    }
    // For Schedule::mortal(). The event it was at may have been committed or not.
    void dies(std::uint32_t writer) {
        witness.dead.insert(writer);
        for (std::uint32_t& slot_writer : writing_) {
            if (slot_writer == writer) slot_writer = 0;
        }
        one_may_be_there_ = true;
    }

    // ---- the steps of the reader ----

    void read(int rounds, std::uint32_t at_most = 1) {
        for (int round = 0; round < rounds; ++round) {
            if (!take_and_release(at_most)) look_behind();
        }
    }
    bool take_and_release(std::uint32_t at_most) {
        const InboxReader::Taken taken = reader_.take(at_most);
        for (std::uint32_t i = 0; i < taken.count; ++i) {
            const Position p = position(taken.first + i);
            const std::uint32_t index = box.ring().index(p);
            if (writing_[index] != 0) fail("an event is read while it is written", p);
            reading_[index] = true;
        }
        for (std::uint32_t i = 0; i < taken.count; ++i) {
            const Position p = position(taken.first + i);
            const std::uint64_t value = box.value(p);
            step();
            if (box.value(p) != value) fail("an event changed while it was read", p);
            deliver(value);
        }
        reading_.assign(reading_.size(), false);
        reader_.release();
        return taken.count > 0;
    }
    InboxReader::Behind look_behind() {
        std::uint64_t remaining = 0;
        return reader_.look_behind(1, witness, remaining);
    }

    // ---- when all have ended ----

    // Events that were put into the inbox by hand.
    void expect_also(std::uint64_t count) noexcept { sent_ += count; }

    void check() {
        if (!drain()) return fail("the reader finds no end", box.head().at());
        const std::uint64_t evicted = reader_.evictions();
        const bool balanced = delivered_ + evicted == sent_ || (one_may_be_there_ && delivered_ + evicted == sent_ + 1);
        EXPECT_TRUE(balanced) << "sent " << sent_ << ", delivered " << delivered_ << ", evicted " << evicted;
        if (policy_ != Overflow::drop_oldest) {
            EXPECT_EQ(evicted, 0u);
        }
        if (witness.dead.empty()) {
            EXPECT_EQ(box.words().evictions, evicted);
            EXPECT_EQ(box.words().dropped, evicted);
        }
        for (std::uint32_t i = 0; i < box.capacity(); ++i) {
            const Claim claim{box.ring().claims[i]};
            EXPECT_TRUE(claim.mark() != Mark::revoked || witness.dead.contains(claim.writer())) << "slot " << i << " stays set aside";
        }
        goes_on();
    }

    PrivateRing box;
    Witness witness;

private:
    bool drain() {
        constexpr int kManyLooks = 1000;
        for (int looks = 0; looks < kManyLooks; ++looks) {
            if (!take_and_release(1) && look_behind() != InboxReader::Behind::passed) return true;
        }
        return false;
    }
    // Two laps more go through, one event at a time.
    void goes_on() {
        constexpr std::uint32_t kLast = 9;
        Target target = box.target(policy_);
        for (std::uint64_t value = 100 * kLast + 1; value <= 100 * kLast + 2 * box.capacity(); ++value) {
            const std::uint64_t before = delivered_;
            if (!publish(target, kLast, value)) return fail("there is no room in an empty inbox", box.words().hint);
            if (!drain() || delivered_ != before + 1) return fail("an event does not arrive", box.words().hint);
        }
    }
    void deliver(std::uint64_t value) {
        std::uint64_t& newest = newest_[value / 100];
        if (value <= newest) fail("an event comes twice or too late: " + std::to_string(value), box.head().at());
        newest = value;
        ++delivered_;
    }
    static void fail(const std::string& what, Position at) { ADD_FAILURE() << what << " (position " << at << ")"; }

    Overflow policy_;
    InboxReader reader_;
    std::vector<std::uint32_t> writing_;  // who writes into the slot now
    std::vector<bool> reading_;
    std::map<std::uint64_t, std::uint64_t> newest_;  // by writer
    std::uint64_t sent_ = 0;
    std::uint64_t delivered_ = 0;
    bool one_may_be_there_ = false;
};

}  // namespace swarmbus::test
