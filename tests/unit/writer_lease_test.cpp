// Leasing writer ids, and telling whose an event was after the id went back.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>

#include "src/error.hpp"
#include "src/life/writer_lease.hpp"
#include "src/words/table_words.hpp"
#include "tests/unit/private_segment.hpp"

namespace swarmbus::test {
namespace {

constexpr std::uint32_t kIds = SWB_WRITERS - 1;

class WriterLeases : public testing::Test {
protected:
    WriterLease lease(std::string_view source = "planner") { return lease_writer(*bus, 2, 7, source); }
    // What a reader finds for an event of that writer and lease; nothing if it can't be told any more.
    std::optional<std::string> source_of(const WriterLease& writer) {
        char text[SWB_SOURCE_BYTES];
        if (!read_source(*bus, writer.id, writer.lease.number(), text)) return std::nullopt;
        return text;
    }

    PrivateSegment bus;
};
class Sources : public WriterLeases {};

TEST_F(WriterLeases, say_whose_an_id_is) {
    const WriterLease writer = lease();
    EXPECT_EQ(writer.id, 1u) << "id 0 is never leased";
    EXPECT_EQ(writer.lease.participant(), 2u);
    EXPECT_EQ(writer.lease.participant_generation(), 7u);
    EXPECT_EQ(words::load_lease(bus->writer(1)), writer.lease);
}

TEST_F(WriterLeases, go_round_all_ids_before_one_is_leased_anew) {
    for (std::uint32_t turn = 0; turn < 2 * kIds; ++turn) {
        const WriterLease writer = lease();
        ASSERT_EQ(writer.id, turn % kIds + 1);
        ASSERT_EQ(writer.lease.number(), turn / kIds + 1);
        release_writer(*bus, writer);
    }
}

TEST_F(WriterLeases, all_lie_before_the_end_of_writers) {
    EXPECT_EQ(words::end_of_writers(bus->header()), 1u);
    for (std::uint32_t turn = 0; turn < 3 * kIds; ++turn) {
        const WriterLease writer = lease();
        ASSERT_LT(writer.id, words::end_of_writers(bus->header()));
        ASSERT_EQ(words::end_of_writers(bus->header()), std::min(turn + 2, kIds + 1));
        release_writer(*bus, writer);
    }
}

TEST_F(WriterLeases, pass_over_ids_that_are_taken) {
    const WriterLease first = lease();
    const WriterLease second = lease();
    bus->header().next_writer = 1;
    release_writer(*bus, first);
    EXPECT_EQ(lease().id, first.id);
    bus->header().next_writer = 2;
    EXPECT_EQ(lease().id, second.id + 1);
}

TEST_F(WriterLeases, run_out_with_a_clear_error_and_go_on_when_one_goes_back) {
    std::vector<WriterLease> all;
    for (std::uint32_t i = 0; i < kIds; ++i) all.push_back(lease());
    try {
        lease();
        FAIL() << "not refused";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), SWB_ERR_WRITERS_FULL);
        EXPECT_NE(std::string(e.what()).find("4095"), std::string::npos);
    }
    release_writer(*bus, all[1234]);
    EXPECT_EQ(lease().id, all[1234].id);
}

TEST_F(WriterLeases, go_on_when_the_place_to_look_first_counts_over_its_end) {
    bus->header().next_writer = 0xfffffffe;
    std::set<std::uint32_t> ids;
    for (int i = 0; i < 4; ++i) {
        const WriterLease writer = lease();
        EXPECT_GE(writer.id, 1u);
        EXPECT_LE(writer.id, kIds);
        EXPECT_TRUE(ids.insert(writer.id).second);
    }
}

TEST_F(WriterLeases, count_on_in_16_bits) {
    bus->writer(1).lease = Lease::of(0xffff, 0, 0).raw;
    const WriterLease writer = lease();
    EXPECT_EQ(writer.id, 1u);
    EXPECT_EQ(writer.lease.number(), 0u);
    EXPECT_FALSE(writer.lease.free());
}

TEST_F(WriterLeases, are_given_back_by_their_owner_only) {
    const WriterLease old = lease();
    release_writer(*bus, old);
    bus->header().next_writer = 1;
    const WriterLease current = lease();
    ASSERT_EQ(current.id, old.id);
    release_writer(*bus, old);  // once more, too late
    EXPECT_EQ(words::load_lease(bus->writer(current.id)), current.lease);
}

TEST_F(WriterLeases, keep_counting_the_sequence_of_the_id) {
    const WriterLease old = lease();
    bus->writer(old.id).next_sequence = 41;
    release_writer(*bus, old);
    bus->header().next_writer = 1;
    ASSERT_EQ(lease().id, old.id);
    EXPECT_EQ(bus->writer(old.id).next_sequence, 41u) << "id and sequence are unique on a bus";
}

TEST_F(Sources, are_told_while_the_writer_lives_and_after_it_ended) {
    const WriterLease writer = lease("planner-12");
    EXPECT_EQ(source_of(writer), "planner-12");
    release_writer(*bus, writer);
    EXPECT_EQ(source_of(writer), "planner-12") << "for events that are still unread";
}

TEST_F(Sources, are_not_mistaken_for_those_of_the_next_who_has_the_id) {
    const WriterLease old = lease("a source that is longer than the next");
    release_writer(*bus, old);
    bus->header().next_writer = 1;
    const WriterLease current = lease("next");
    ASSERT_EQ(current.id, old.id);
    EXPECT_EQ(source_of(old), std::nullopt);
    EXPECT_EQ(source_of(current), "next");
}

TEST_F(Sources, of_any_length_fit) {
    for (std::size_t length = 0; length < SWB_SOURCE_BYTES; ++length) {
        const std::string text(length, 's');
        EXPECT_EQ(source_of(lease(text)), text);
    }
}

TEST_F(Sources, of_a_damaged_line_end_within_it) {
    const WriterLease writer = lease();
    std::memset(bus->writer(writer.id).source, 'x', SWB_SOURCE_BYTES);
    EXPECT_EQ(source_of(writer), std::string(SWB_SOURCE_BYTES - 1, 'x'));
}

TEST_F(Sources, of_an_id_that_is_none_are_not_told) {
    for (const std::uint32_t id : {0u, 4096u, 0xffffu}) EXPECT_EQ(source_of({id, Lease{}}), std::nullopt) << id;
}

}  // namespace
}  // namespace swarmbus::test
