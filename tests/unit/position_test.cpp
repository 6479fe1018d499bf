// Positions and the words that carry them.
#include <gtest/gtest.h>

#include "src/inbox/ring.hpp"
#include "src/words/position.hpp"

namespace swarmbus::core {
namespace {

constexpr Position kEnd = Position{1} << 48;

TEST(Positions, count_in_48_bits) {
    EXPECT_EQ(position(kEnd - 1), kEnd - 1);
    EXPECT_EQ(position(kEnd), 0u);
    EXPECT_EQ(position(kEnd + 7), 7u);
    EXPECT_EQ(position(Position{0} - 1), kEnd - 1);
}

TEST(Positions, compare_by_signed_difference) {
    EXPECT_EQ(distance(5, 5), 0);
    EXPECT_EQ(distance(7, 5), 2);
    EXPECT_EQ(distance(5, 7), -2);
    EXPECT_EQ(distance(3, kEnd - 2), 5);
    EXPECT_EQ(distance(kEnd - 2, 3), -5);
    EXPECT_EQ(distance(kEnd / 2 - 1, 0), static_cast<std::int64_t>(kEnd / 2 - 1));
    EXPECT_EQ(distance(kEnd / 2, 0), -static_cast<std::int64_t>(kEnd / 2));
    EXPECT_EQ(distance(kEnd + 9, 5), 4) << "what lies above the 48 bits does not count";
}

TEST(Claims, keep_lap_writer_and_mark_apart) {
    for (const Position lap : {Position{0}, Position{16}, kEnd - 16}) {
        for (const std::uint32_t writer : {0u, 1u, 4095u}) {
            for (const Mark mark : {Mark::owned, Mark::doubt, Mark::revoked}) {
                const Claim claim = Claim::of(lap, writer, mark);
                EXPECT_EQ(claim.lap(), lap);
                EXPECT_EQ(claim.writer(), writer);
                EXPECT_EQ(claim.mark(), mark);
                EXPECT_TRUE(claim.is(lap, writer, mark));
                EXPECT_FALSE(claim.is(lap + 16, writer, mark));
                EXPECT_FALSE(claim.is(lap, writer ^ 1, mark));
                EXPECT_FALSE(claim.is(lap, writer, mark == Mark::owned ? Mark::doubt : Mark::owned));
            }
        }
    }
}

TEST(Claims, have_a_fixed_form_in_memory) {
    EXPECT_EQ(Claim::of(0x123456789ab0, 0xcde, Mark::revoked).raw, 0x123456789ab0cde2u);
    EXPECT_EQ(Claim{}.raw, 0u);
    EXPECT_TRUE(Claim{}.is(0, 0, Mark::owned));
}

TEST(States, keep_lap_and_status_apart) {
    for (const Position lap : {Position{0}, Position{16}, kEnd - 16}) {
        const State ready = State::of(lap, Status::ready), skip = State::of(lap, Status::skip);
        EXPECT_EQ(ready.lap(), lap);
        EXPECT_EQ(skip.lap(), lap);
        EXPECT_TRUE(ready.ready_at(lap));
        EXPECT_FALSE(ready.skip_at(lap));
        EXPECT_TRUE(skip.skip_at(lap));
        EXPECT_FALSE(skip.ready_at(lap));
        EXPECT_FALSE(ready.ready_at(position(lap + 16)));
    }
    EXPECT_EQ(State::of(0x123456789ab0, Status::skip).raw, 0x123456789ab00001u);
}

TEST(States, with_an_unknown_status_are_neither_READY_nor_SKIP) {
    const State damaged{std::uint64_t{32} << 16 | 7};
    EXPECT_FALSE(damaged.ready_at(32));
    EXPECT_FALSE(damaged.skip_at(32));
}

TEST(Heads, move_and_count_without_disturbing_each_other) {
    const Head head = Head::of(kEnd - 1, 0xffff);
    EXPECT_EQ(head.at(), kEnd - 1);
    EXPECT_EQ(head.evicted(), 0xffff);
    EXPECT_EQ(head.passed(3), Head::of(2, 0xffff));
    EXPECT_EQ(head.evicted_one(), Head::of(0, 0));
    EXPECT_EQ(Head::of(16, 4).evicted_one(), Head::of(17, 5));
    EXPECT_EQ(Head::of(0x123456789abc, 0xdef0).raw, 0x123456789abcdef0u);
}

TEST(Holdings, cover_slots_not_positions) {
    const Holding holding = Holding::of(30, 4);  // slots 14, 15, 0 and 1 of 16
    EXPECT_EQ(holding.first(), 30u);
    EXPECT_EQ(holding.count(), 4u);
    for (Position lap = 0; lap < 5 * 16; lap += 16) {
        for (const Position slot : {14, 15, 0, 1}) EXPECT_TRUE(holding.covers(lap + slot, 16)) << lap << "+" << slot;
        for (Position slot = 2; slot < 14; ++slot) EXPECT_FALSE(holding.covers(lap + slot, 16)) << lap << "+" << slot;
    }
}

TEST(Holdings, of_nothing_cover_nothing) {
    for (Position p = 0; p < 40; ++p) EXPECT_FALSE(Holding{}.covers(p, 16));
}

TEST(Holdings, cover_over_the_end_of_the_numbers) {
    const Holding holding = Holding::of(kEnd - 2, 4);
    for (const Position p : {kEnd - 2, kEnd - 1, Position{0}, Position{1}, Position{14}}) EXPECT_TRUE(holding.covers(p, 16)) << p;
    for (const Position p : {kEnd - 3, Position{2}}) EXPECT_FALSE(holding.covers(p, 16)) << p;
}

TEST(Holdings, carry_half_of_the_largest_inbox) {
    EXPECT_EQ(Holding::of(65536, 32768).count(), 32768u);
    EXPECT_TRUE(Holding::of(65536, 32768).covers(65536 + 32767, 65536));
    EXPECT_FALSE(Holding::of(65536, 32768).covers(65536 + 32768, 65536));
}

TEST(Gates, keep_generation_and_status_apart) {
    const Gate gate = Gate::of(0x123456789abc, SWB_GATE_ACTIVE);
    EXPECT_EQ(gate.generation(), 0x123456789abcu);
    EXPECT_EQ(gate.status(), SWB_GATE_ACTIVE);
    EXPECT_EQ(gate.with(SWB_GATE_DEAD), Gate::of(0x123456789abc, SWB_GATE_DEAD));
    EXPECT_EQ(gate.raw, 0x123456789abc0002u);
}

TEST(Leases, keep_number_participant_and_generation_apart) {
    const Lease lease = Lease::of(0xabcd, 0x0102, 0x11223344);
    EXPECT_EQ(lease.number(), 0xabcd);
    EXPECT_EQ(lease.participant(), 0x0101u);
    EXPECT_EQ(lease.participant_generation(), 0x11223344u);
    EXPECT_FALSE(lease.free());
    EXPECT_EQ(lease.raw, 0xabcd010211223344u);
    EXPECT_TRUE(Lease{}.free());
    EXPECT_TRUE(Lease::of(0xffff, 0, 0).free()) << "a free id keeps the number of its last lease";
}

TEST(Rings, put_position_p_into_slot_p_modulo_the_capacity) {
    swb_l_inbox words{};
    alignas(64) static std::byte block[4096 + 32 * (8 + 64)];
    const Ring ring = Ring::in_block(words, block, 32, 64);
    EXPECT_EQ(reinterpret_cast<std::byte*>(ring.claims), block + SWB_PATTERN_AREA_BYTES);
    EXPECT_EQ(ring.slots, block + SWB_PATTERN_AREA_BYTES + 32 * 8);
    for (const Position p : {Position{0}, Position{31}, Position{32}, Position{77}, kEnd - 1}) {
        EXPECT_EQ(ring.index(p), p % 32);
        EXPECT_EQ(ring.lap(p), p - p % 32);
        EXPECT_EQ(ring.lap_before(p), position(p - p % 32 - 32));
        EXPECT_EQ(&ring.claim(p), ring.claims + p % 32);
        EXPECT_EQ(ring.slot(p), ring.slots + (p % 32) * 64);
        EXPECT_EQ(static_cast<void*>(&ring.state(p)), static_cast<void*>(ring.slot(p)));
    }
    EXPECT_EQ(ring.lap_before(5), kEnd - 32);
}

}  // namespace
}  // namespace swarmbus::core
