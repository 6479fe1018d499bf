// Whole stories of a writer that is stopped in mid publish, one step after the other in one thread.
#include <gtest/gtest.h>

#include "tests/unit/private_ring.hpp"

namespace swarmbus::test {
namespace {

using Behind = InboxReader::Behind;

constexpr std::uint32_t kLate = 5;
constexpr std::uint32_t kOther = 7;

class LateWriter : public testing::TestWithParam<Overflow> {
protected:
    LateWriter() : reader(box.ring(), GetParam(), 1000) {}

    // The steps of a publish.
    Claimed claim_as(std::uint32_t writer) {
        Target target = box.target(GetParam());
        return claim(target, writer, witness);
    }
    Position claim_slot(std::uint32_t writer) {
        const Claimed got = claim_as(writer);
        EXPECT_EQ(got.result, ClaimResult::claimed);
        return got.at;
    }
    void write(Position at, std::uint64_t value) const { box.set_value(at, value); }
    bool commit_and_settle(Position at, std::uint32_t writer) const {
        commit(box.ring(), at);
        return settle(box.ring(), at, writer);
    }
    Position publish(std::uint32_t writer, std::uint64_t value) {
        const Position at = claim_slot(writer);
        write(at, value);
        EXPECT_TRUE(commit_and_settle(at, writer));
        return at;
    }
    // The reader finds the writer at head stalled.
    void suspect() {
        std::uint64_t remaining = 0;
        const std::uint64_t start = now_ns;
        if (reader.look_behind(start, witness, remaining) == Behind::writing) {
            now_ns = start + 1000;
            EXPECT_EQ(reader.look_behind(now_ns, witness, remaining), Behind::passed);
        }
    }
    // All that can be had now; no time passes.
    std::vector<std::uint64_t> receive() {
        std::vector<std::uint64_t> values;
        std::uint64_t remaining = 0;
        for (int looks = 0; looks < 1000; ++looks) {
            const InboxReader::Taken taken = reader.take(8);
            for (std::uint32_t i = 0; i < taken.count; ++i) {
                const Position p = position(taken.first + i);
                reader.made_progress(box.claim(p).writer());
                values.push_back(box.value(p));
            }
            if (taken.count == 0 && reader.look_behind(now_ns, witness, remaining) != Behind::passed) return values;
        }
        ADD_FAILURE() << "the reader finds no end";
        return values;
    }

    PrivateRing box;
    Witness witness;
    InboxReader reader;
    std::uint64_t now_ns = 1000;
};

using Values = std::vector<std::uint64_t>;

TEST_P(LateWriter, stopped_before_its_commit_publishes_anew_exactly_once) {
    const Position late = claim_slot(kLate);
    publish(kOther, 100);
    EXPECT_EQ(receive(), Values{}) << "what follows waits for it";
    suspect();
    EXPECT_EQ(receive(), Values{100});
    write(late, 1);
    EXPECT_FALSE(commit_and_settle(late, kLate));
    EXPECT_EQ(receive(), Values{});
    publish(kLate, 1);
    publish(kOther, 101);
    EXPECT_EQ(receive(), (Values{1, 101}));
    EXPECT_TRUE(box.skip(late));
    EXPECT_EQ(box.claim(late), box.as_claim(late, kLate));
}

TEST_P(LateWriter, stopped_between_commit_and_settling_after_the_reader_gave_up_on_it) {
    const Position late = claim_slot(kLate);
    suspect();
    write(late, 1);
    commit(box.ring(), late);
    EXPECT_EQ(receive(), Values{}) << "ready now, but passed";
    EXPECT_FALSE(settle(box.ring(), late, kLate));
    publish(kLate, 1);
    EXPECT_EQ(receive(), Values{1});
}

TEST_P(LateWriter, stopped_between_commit_and_settling_has_its_event_delivered) {
    const Position late = claim_slot(kLate);
    write(late, 1);
    commit(box.ring(), late);
    suspect();
    EXPECT_EQ(receive(), Values{1});
    EXPECT_TRUE(settle(box.ring(), late, kLate));
    EXPECT_EQ(receive(), Values{});
}

TEST_P(LateWriter, stopped_for_laps_writes_only_into_its_own_slot_and_gives_that_back) {
    const Position late = claim_slot(kLate);
    suspect();
    std::uint64_t next = 100;
    Values sent, got;
    for (int i = 0; i < 100; ++i) {
        sent.push_back(next);
        const Position at = publish(kOther, next++);
        EXPECT_NE(box.ring().index(at), box.ring().index(late));
        for (const std::uint64_t value : receive()) got.push_back(value);
        write(late, 0xdead);  // still writing
    }
    EXPECT_EQ(got, sent);
    const Position carried_to = box.claim(late).lap() + box.ring().index(late);
    EXPECT_GT(carried_to, late);
    EXPECT_FALSE(commit_and_settle(late, kLate));
    EXPECT_TRUE(box.skip(carried_to));
    publish(kLate, 1);
    EXPECT_EQ(receive(), Values{1});
    // The slot is in use again: a whole lap goes through, that slot included.
    std::set<std::uint32_t> used;
    for (int i = 0; i < 16; ++i) {
        used.insert(box.ring().index(publish(kOther, next++)));
        receive();
    }
    EXPECT_EQ(used.size(), 16u);
}

TEST_P(LateWriter, suspected_again_and_again_delivers_in_order_and_once) {
    Values got;
    for (std::uint64_t value = 1; value <= 20; ++value) {
        for (bool again = false;; again = true) {
            const Position at = claim_slot(kLate);
            write(at, value);
            if (!again && value % 3 != 0) suspect();
            if (commit_and_settle(at, kLate)) break;
        }
        for (const std::uint64_t v : receive()) got.push_back(v);
    }
    Values all;
    for (std::uint64_t value = 1; value <= 20; ++value) all.push_back(value);
    EXPECT_EQ(got, all);
}

TEST_P(LateWriter, that_never_comes_back_costs_one_slot_and_nothing_else) {
    claim_slot(kLate);
    witness.dead = {kLate};
    Values sent, got;
    for (std::uint64_t value = 1; value <= 64; ++value) {
        sent.push_back(value);
        publish(kOther, value);
        suspect();
        for (const std::uint64_t v : receive()) got.push_back(v);
    }
    EXPECT_EQ(got, sent);
    int set_aside = 0;
    for (std::uint32_t i = 0; i < 16; ++i) set_aside += Claim{box.ring().claims[i]}.mark() == Mark::revoked;
    EXPECT_EQ(set_aside, 1);
}

TEST_P(LateWriter, two_of_them_give_back_their_own_slots) {
    const Position first = claim_slot(kLate);
    const Position second = claim_slot(kLate + 1);
    suspect();
    suspect();
    for (std::uint64_t value = 100; value < 140; ++value) {
        publish(kOther, value);
        EXPECT_EQ(receive(), Values{value});
    }
    EXPECT_FALSE(commit_and_settle(second, kLate + 1));
    EXPECT_FALSE(commit_and_settle(first, kLate));
    publish(kLate, 1);
    publish(kLate + 1, 2);
    EXPECT_EQ(receive(), (Values{1, 2}));
    for (std::uint32_t i = 0; i < 16; ++i) EXPECT_EQ(Claim{box.ring().claims[i]}.mark(), Mark::owned) << i;
}

INSTANTIATE_TEST_SUITE_P(, LateWriter, testing::Values(Overflow::drop_oldest, Overflow::drop_newest, Overflow::block),
                         [](const auto& info) {
                             return std::string(info.param == Overflow::drop_oldest   ? "drop_oldest"
                                                : info.param == Overflow::drop_newest ? "drop_newest"
                                                                                      : "block");
                         });

}  // namespace
}  // namespace swarmbus::test
