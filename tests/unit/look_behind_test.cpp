// Why nothing is ready, and what the reader does about writers that are dead or stalled.
#include <gtest/gtest.h>

#include "src/words/waking_words.hpp"
#include "tests/unit/private_ring.hpp"

namespace swarmbus::test {
namespace {

using Behind = InboxReader::Behind;

constexpr std::uint32_t kWriter = 7;
constexpr std::uint64_t kStallNs = 1000;
constexpr Overflow kPolicies[] = {Overflow::drop_oldest, Overflow::drop_newest, Overflow::block};

struct Box : PrivateRing {
    explicit Box(Overflow policy = Overflow::drop_oldest) : PrivateRing(16), reader(ring(), policy, kStallNs) {}

    Behind look(std::uint64_t now_ns) { return reader.look_behind(now_ns, witness, remaining_ns); }
    // Claims `p` and never finishes it.
    void stall_at(Position p, Mark mark = Mark::owned) const { set_claim(p, kWriter, mark); }

    InboxReader reader;
    Witness witness;
    std::uint64_t remaining_ns = 0;
};

TEST(LookingBehind, nobody_writes_at_head) {
    Box box;
    EXPECT_EQ(box.look(0), Behind::empty);
    EXPECT_EQ(box.look(1'000'000'000), Behind::empty);
    EXPECT_TRUE(box.witness.asked.empty());
    EXPECT_EQ(box.head(), Head::of(16, 0));
}

TEST(LookingBehind, an_event_that_turned_ready_meanwhile_is_left_to_take) {
    Box box;
    box.put_ready(16, kWriter);
    EXPECT_EQ(box.look(0), Behind::passed);
    EXPECT_EQ(box.reader.take(1).first, 16u);
}

TEST(LookingBehind, a_claim_of_a_later_lap_means_that_head_has_moved) {
    Box box;
    box.set_claim(32, kWriter);
    EXPECT_EQ(box.look(0), Behind::passed);
    EXPECT_EQ(box.claim(32), box.as_claim(32, kWriter));
}

TEST(LookingBehind, a_writer_has_the_stall_timeout_to_finish) {
    Box box;
    box.stall_at(16);
    EXPECT_EQ(box.look(5'000), Behind::writing);
    EXPECT_EQ(box.remaining_ns, kStallNs);
    EXPECT_EQ(box.look(5'300), Behind::writing);
    EXPECT_EQ(box.remaining_ns, kStallNs - 300);
    EXPECT_EQ(box.look(5'999), Behind::writing);
    EXPECT_EQ(box.remaining_ns, 1u);
    EXPECT_EQ(box.claim(16), box.as_claim(16, kWriter)) << "not suspected yet";
    EXPECT_EQ(box.look(6'000), Behind::passed);
    EXPECT_EQ(box.claim(16), box.as_claim(16, kWriter, Mark::revoked));
    EXPECT_EQ(box.head(), Head::of(17, 0));
}

TEST(LookingBehind, each_claim_has_its_own_time) {
    Box box;
    box.stall_at(16);
    EXPECT_EQ(box.look(5'000), Behind::writing);
    box.set_state(16, Status::ready);
    box.reader.take(1);
    box.stall_at(17);
    EXPECT_EQ(box.look(5'999), Behind::writing);
    EXPECT_EQ(box.look(6'500), Behind::writing);
    EXPECT_EQ(box.remaining_ns, 499u);
    EXPECT_EQ(box.look(6'999), Behind::passed);
}

TEST(LookingBehind, time_in_which_the_reader_was_stopped_is_no_evidence) {
    Box box;
    box.stall_at(16);
    EXPECT_EQ(box.look(5'000), Behind::writing);
    box.reader.forget_stall();
    EXPECT_EQ(box.look(9'000'000), Behind::writing);
    EXPECT_EQ(box.remaining_ns, kStallNs);
}

TEST(LookingBehind, a_dead_writer_is_passed_at_once) {
    for (const Overflow policy : kPolicies) {
        Box box(policy);
        box.stall_at(16);
        box.witness.dead = {kWriter};
        EXPECT_EQ(box.look(0), Behind::passed);
        EXPECT_EQ(box.witness.asked, std::vector<std::uint32_t>{kWriter});
        EXPECT_EQ(box.claim(16), box.as_claim(16, kWriter, Mark::revoked)) << "its slot stays set aside";
        EXPECT_EQ(box.head(), Head::of(17, 0));
        EXPECT_EQ(box.look(0), Behind::empty);
    }
}

TEST(LookingBehind, passing_a_position_makes_room_for_publishers_that_wait) {
    Box box(Overflow::block);
    box.stall_at(16);
    box.witness.dead = {kWriter};
    const std::uint32_t announced = words::announce_wait(box.words());
    EXPECT_EQ(box.look(0), Behind::passed);
    EXPECT_EQ(box.words().room, (announced & ~words::kWaitedFor) + words::kRoomStep);
}

TEST(LookingBehind, a_position_taken_away_already_is_passed) {
    for (const Overflow policy : kPolicies) {
        Box box(policy);
        box.stall_at(16, Mark::revoked);
        EXPECT_EQ(box.look(0), Behind::passed);
        EXPECT_EQ(box.head(), Head::of(17, 0));
        EXPECT_EQ(box.claim(16), box.as_claim(16, kWriter, Mark::revoked));
        EXPECT_TRUE(box.witness.asked.empty());
    }
}

TEST(LookingBehind, a_doubt_that_was_left_there_goes_on_to_REVOKED) {
    Box box;
    box.stall_at(16, Mark::doubt);
    EXPECT_EQ(box.look(5'000), Behind::writing);
    EXPECT_EQ(box.look(6'000), Behind::passed);
    EXPECT_EQ(box.claim(16), box.as_claim(16, kWriter, Mark::revoked));
    EXPECT_EQ(box.head(), Head::of(17, 0));
}

TEST(LookingBehind, a_doubt_that_was_left_there_is_withdrawn_when_the_event_is_ready) {
    Box box;
    box.stall_at(16, Mark::doubt);
    box.witness.dead = {kWriter};
    box.witness.meanwhile = [&] { box.set_state(16, Status::ready); };
    EXPECT_EQ(box.look(0), Behind::passed);
    EXPECT_EQ(box.claim(16), box.as_claim(16, kWriter));
    EXPECT_EQ(box.head(), Head::of(16, 0));
}

TEST(Suspecting, an_event_that_turns_ready_meanwhile_is_delivered) {
    for (const Overflow policy : kPolicies) {
        Box box(policy);
        box.stall_at(16);
        box.witness.dead = {kWriter};
        box.witness.meanwhile = [&] { box.set_state(16, Status::ready); };
        EXPECT_EQ(box.look(0), Behind::passed);
        EXPECT_EQ(box.claim(16), box.as_claim(16, kWriter)) << "back to OWNED";
        EXPECT_EQ(box.head(), Head::of(16, 0));
        const InboxReader::Taken taken = box.reader.take(8);
        EXPECT_EQ(taken.first, 16u);
        EXPECT_EQ(taken.count, 1u);
    }
}

TEST(Suspecting, a_position_that_is_settled_to_SKIP_meanwhile_is_not_taken_away) {
    // By a publisher passing a held slot, or by a reaper. Taken away, its slot would be lost: nobody
    // is left to give it back.
    Box box;
    box.stall_at(16);
    box.witness.dead = {kWriter};
    box.witness.meanwhile = [&] { box.set_state(16, Status::skip); };
    EXPECT_EQ(box.look(0), Behind::passed);
    EXPECT_EQ(box.claim(16), box.as_claim(16, kWriter));
    EXPECT_EQ(box.reader.take(8).count, 0u);
    EXPECT_EQ(box.head(), Head::of(17, 0));
}

TEST(Suspecting, leaves_a_claim_alone_that_changed_meanwhile) {
    Box box;
    box.stall_at(16);
    box.witness.dead = {kWriter};
    box.witness.meanwhile = [&] { box.set_claim(32, 8); };  // committed, evicted, claimed a lap later
    EXPECT_EQ(box.look(0), Behind::passed);
    EXPECT_EQ(box.claim(32), box.as_claim(32, 8));
    EXPECT_EQ(box.head(), Head::of(16, 0));
}

TEST(Suspecting, does_not_move_a_head_that_an_evictor_moved_meanwhile) {
    Box box(Overflow::drop_oldest);
    box.stall_at(16);
    box.witness.dead = {kWriter};
    box.witness.meanwhile = [&] { box.set_head(18, 2); };
    EXPECT_EQ(box.look(0), Behind::passed);
    EXPECT_EQ(box.head(), Head::of(18, 2));
}

TEST(Suspecting, a_writer_suspected_once_is_suspected_at_once_the_next_time) {
    Box box;
    box.stall_at(16);
    box.look(1'000);
    box.look(2'000);
    EXPECT_EQ(box.claim(16), box.as_claim(16, kWriter, Mark::revoked));
    box.stall_at(17);
    EXPECT_EQ(box.look(2'001), Behind::passed);
    EXPECT_EQ(box.claim(17), box.as_claim(17, kWriter, Mark::revoked));
    box.set_claim(18, kWriter + 1);
    EXPECT_EQ(box.look(2'002), Behind::writing) << "others keep their time";
}

TEST(Suspecting, a_writer_that_made_progress_has_its_time_again) {
    Box box;
    box.stall_at(16);
    box.look(1'000);
    box.look(2'000);
    box.reader.made_progress(kWriter);
    box.stall_at(17);
    EXPECT_EQ(box.look(2'001), Behind::writing);
    EXPECT_EQ(box.remaining_ns, kStallNs);
}

TEST(Suspecting, progress_of_one_writer_does_not_clear_another) {
    Box box;
    box.stall_at(16);
    box.look(1'000);
    box.look(2'000);
    box.reader.made_progress(kWriter + 1);
    box.stall_at(17);
    EXPECT_EQ(box.look(2'001), Behind::passed);
}

TEST(Suspecting, a_writer_found_alive_after_all_is_not_remembered_as_suspect) {
    Box box;
    box.stall_at(16);
    box.look(1'000);
    box.witness.dead = {kWriter};
    box.witness.meanwhile = [&] { box.set_state(16, Status::ready); };
    box.look(1'001);
    box.witness = {};
    box.reader.take(1);
    box.stall_at(17);
    EXPECT_EQ(box.look(1'002), Behind::writing);
}

TEST(Suspecting, what_turns_ready_after_it_was_taken_away_is_not_delivered) {
    for (const Overflow policy : kPolicies) {
        Box box(policy);
        box.stall_at(16);
        box.witness.dead = {kWriter};
        EXPECT_EQ(box.look(0), Behind::passed);
        commit(box.ring(), 16);  // the writer was only stopped
        EXPECT_EQ(box.reader.take(8).count, 0u);
        box.put_ready(17, kWriter);
        EXPECT_EQ(box.reader.take(8).first, 17u);
    }
}

}  // namespace
}  // namespace swarmbus::test
