// What a dead writer left in the inboxes of the living, claim by claim, set by hand.
#include <gtest/gtest.h>

#include <vector>

#include "src/inbox/settle_dead.hpp"
#include "tests/unit/private_ring.hpp"

namespace swarmbus::test {
namespace {

constexpr std::uint32_t kDead = 5;
constexpr std::uint32_t kOther = 7;
constexpr Position kAt = 20;

class SettleDead : public testing::Test {
protected:
    void settle() const { settle_dead(box.ring(), kDead); }
    void expect_skipped(Position p) const {
        EXPECT_EQ(box.claim(p), box.as_claim(p, kDead));
        EXPECT_TRUE(box.skip(p)) << p;
    }
    std::vector<std::uint64_t> words() const {
        std::vector<std::uint64_t> all(box.ring().claims, box.ring().claims + box.capacity());
        for (Position p = 16; p < 32; ++p) all.push_back(box.state(p).raw);
        return all;
    }

    PrivateRing box;
};

TEST_F(SettleDead, an_unfinished_position_is_skipped) {
    box.set_claim(kAt, kDead);
    settle();
    expect_skipped(kAt);
}

TEST_F(SettleDead, a_doubt_about_an_unfinished_position_is_settled_too) {
    box.set_claim(kAt, kDead, Mark::doubt);
    settle();
    expect_skipped(kAt);
}

TEST_F(SettleDead, a_doubt_about_a_committed_event_leaves_it_to_be_delivered) {
    box.put_ready(kAt, kDead);
    box.set_claim(kAt, kDead, Mark::doubt);
    settle();
    EXPECT_EQ(box.claim(kAt), box.as_claim(kAt, kDead));
    EXPECT_TRUE(box.ready(kAt));
}

TEST_F(SettleDead, a_doubt_about_a_skipped_position_is_settled) {
    box.set_claim(kAt, kDead, Mark::doubt);
    box.set_state(kAt, Status::skip);
    settle();
    expect_skipped(kAt);
}

TEST_F(SettleDead, a_position_taken_away_before_it_was_written_is_given_back) {
    box.set_claim(kAt, kDead, Mark::revoked);
    settle();
    expect_skipped(kAt);
}

TEST_F(SettleDead, a_position_taken_away_that_was_skipped_before_the_death_is_given_back) {
    box.set_claim(kAt, kDead, Mark::revoked);
    box.set_state(kAt, Status::skip);
    settle();
    expect_skipped(kAt);
}

TEST_F(SettleDead, a_position_taken_away_and_committed_after_that_is_not_delivered) {
    // Its reader has passed it: READY there would be an event that nobody sees, or sees a lap later.
    box.put_ready(kAt, kDead);
    box.set_claim(kAt, kDead, Mark::revoked);
    settle();
    expect_skipped(kAt);
}

TEST_F(SettleDead, a_slot_carried_on_for_laps_is_given_back_where_it_was_carried_to) {
    const Position kLater = kAt + 3 * box.capacity();
    box.set_claim(kLater, kDead, Mark::revoked);
    settle();
    EXPECT_EQ(box.claim(kLater), box.as_claim(kLater, kDead));
    EXPECT_TRUE(box.skip(kLater));
}

TEST_F(SettleDead, claims_of_others_are_untouched_whatever_they_are) {
    box.set_claim(17, kOther);
    box.set_claim(18, kOther, Mark::doubt);
    box.set_claim(19, kOther, Mark::revoked);
    box.put_ready(21, kOther);
    box.put_ready(22, kOther);
    box.set_claim(22, kOther, Mark::doubt);
    box.set_claim(23, kOther, Mark::revoked);
    box.set_state(23, Status::skip);
    const auto before = words();
    settle();
    EXPECT_EQ(words(), before);
}

TEST_F(SettleDead, what_it_had_finished_is_untouched) {
    box.put_ready(17, kDead);
    box.set_claim(18, kDead);
    box.set_state(18, Status::skip);
    const auto before = words();
    settle();
    EXPECT_EQ(words(), before);
    EXPECT_EQ(count_unsettled(box.ring(), kDead), 0u);
}

TEST_F(SettleDead, done_again_by_the_next_reaper_changes_nothing) {
    box.set_claim(17, kDead);
    box.set_claim(18, kDead, Mark::revoked);
    box.put_ready(19, kDead);
    box.set_claim(19, kDead, Mark::doubt);
    settle();
    const auto once = words();
    settle();
    EXPECT_EQ(words(), once);
}

TEST_F(SettleDead, a_report_counts_what_is_unfinished_and_changes_nothing) {
    box.set_claim(17, kDead);
    box.set_claim(18, kDead, Mark::revoked);
    box.put_ready(19, kDead);
    box.set_claim(20, kOther);
    const auto before = words();
    EXPECT_EQ(count_unsettled(box.ring(), kDead), 2u);
    EXPECT_EQ(words(), before);
}

TEST_F(SettleDead, words_that_make_no_sense_end_in_a_bounded_time) {
    box.set_claim(17, kDead);
    box.set_state(17 + 8 * 16, Status::ready);  // laps ahead of its claim
    box.ring().claim(18) = box.as_claim(18, kDead).raw | 0xf;
    settle();
    SUCCEED();
}

// Whole stories: the reader of each policy goes on, and the slot is in use again.
class AfterReaping : public testing::TestWithParam<Overflow> {
protected:
    AfterReaping() : reader(box.ring(), GetParam(), 1'000) { witness.dead = {kDead}; }

    Position publish(std::uint32_t writer) {
        Target target = box.target(GetParam());
        const Claimed got = claim(target, writer, witness);
        EXPECT_EQ(got.result, ClaimResult::claimed);
        box.set_value(got.at, got.at);
        commit(box.ring(), got.at);
        EXPECT_TRUE(swarmbus::core::settle(box.ring(), got.at, writer));
        return got.at;
    }
    Position leave_a_claim() {
        Target target = box.target(GetParam());
        return claim(target, kDead, witness).at;
    }
    std::vector<std::uint64_t> receive() {
        std::vector<std::uint64_t> values;
        for (InboxReader::Taken taken = reader.take(8); taken.count > 0; taken = reader.take(8)) {
            for (std::uint32_t i = 0; i < taken.count; ++i) values.push_back(box.value(position(taken.first + i)));
        }
        return values;
    }
    std::set<std::uint32_t> slots_of_a_lap() {
        std::set<std::uint32_t> used;
        for (std::uint32_t i = 0; i < box.capacity(); ++i) {
            used.insert(box.ring().index(publish(kOther)));
            receive();
        }
        return used;
    }

    PrivateRing box;
    Witness witness;
    InboxReader reader;
};

TEST_P(AfterReaping, a_reader_goes_on_behind_the_claim_of_the_dead_without_suspecting_anybody) {
    leave_a_claim();
    const Position next = publish(kOther);
    EXPECT_EQ(receive(), std::vector<std::uint64_t>{}) << "held up";
    settle_dead(box.ring(), kDead);
    EXPECT_EQ(receive(), std::vector<std::uint64_t>{next});
    EXPECT_TRUE(witness.asked.empty());
    EXPECT_EQ(slots_of_a_lap().size(), box.capacity());
}

TEST_P(AfterReaping, a_slot_that_its_reader_had_set_aside_comes_back) {
    const Position left = leave_a_claim();
    std::uint64_t remaining = 0;
    EXPECT_EQ(reader.look_behind(1'000, witness, remaining), InboxReader::Behind::passed);
    EXPECT_EQ(box.claim(left).mark(), Mark::revoked);
    EXPECT_EQ(slots_of_a_lap().size(), box.capacity() - 1);
    settle_dead(box.ring(), kDead);
    slots_of_a_lap();  // past the position where it was given back
    EXPECT_EQ(slots_of_a_lap().size(), box.capacity());
}

INSTANTIATE_TEST_SUITE_P(, AfterReaping, testing::Values(Overflow::drop_oldest, Overflow::drop_newest, Overflow::block),
                         [](const auto& info) {
                             return std::string(info.param == Overflow::drop_oldest   ? "drop_oldest"
                                                : info.param == Overflow::drop_newest ? "drop_newest"
                                                                                      : "block");
                         });

}  // namespace
}  // namespace swarmbus::test
