// Filters, and what a client gets next.
#include "tests/gateway/gateway_fixture.hpp"

#include "ws_gateway/delivery/token_bucket.hpp"

namespace swarmbus::gateway {
namespace {

class Batches : public JournalTest {
protected:
    explicit Batches(std::size_t max_bytes = std::size_t{64} << 20) : JournalTest(max_bytes) {}

    Place at(const Filter& filter, std::uint64_t offset) const { return place_at(journal_, filter, offset); }
    const Batch& next(const Filter& filter, Place& place, BatchLimits limits = {}) {
        return batcher_.next(filter, place, Format::json, limits);
    }

    Filters filters_{journal_};
    Batcher batcher_{journal_};
};

TEST_F(Batches, hold_the_events_of_the_patterns_behind_the_place) {
    const auto filter = filters_.with({"a.*", "c.d"});
    Place place = at(*filter, 0);
    for (const char* type : {"a.b", "b.b", "c.d", "c.e", "a.c"}) append(type);
    const Batch& batch = next(*filter, place);
    EXPECT_EQ(batch.kind, Batch::Kind::events);
    EXPECT_EQ(batch.events, 3u);
    EXPECT_EQ(joined(batch.pieces), "[1 a.b][3 c.d][5 a.c]");
    EXPECT_EQ(batch.oldest_ns, 1000u);
    EXPECT_EQ(place.offset, 5u);
    EXPECT_EQ(next(*filter, place).kind, Batch::Kind::none);
    append("a.b");
    EXPECT_EQ(joined(next(*filter, place).pieces), "[6 a.b]");
}

TEST_F(Batches, that_lie_in_a_row_are_one_piece) {
    const auto filter = filters_.with({"*"});
    Place place = at(*filter, 0);
    for (int i = 0; i < 100; ++i) append("a.b");
    const Batch& batch = next(*filter, place);
    EXPECT_EQ(batch.events, 100u);
    EXPECT_EQ(batch.pieces.size(), 1u);
}

TEST_F(Batches, end_at_the_limits) {
    const auto filter = filters_.with({"*"});
    Place place = at(*filter, 0);
    for (int i = 0; i < 10; ++i) append("a.b");
    EXPECT_EQ(joined(next(*filter, place, {.bytes = 15}).pieces), "[1 a.b][2 a.b][3 a.b]") << "the limit is reached by the last";
    EXPECT_EQ(joined(next(*filter, place, {.events = 2}).pieces), "[4 a.b][5 a.b]");
    EXPECT_EQ(place.offset, 5u);
}

TEST_F(Batches, know_types_that_came_before_and_after_the_filter) {
    append("a.b");
    const auto filter = filters_.with({"a.*"});
    append("a.c");
    append("b.c");
    Place place = at(*filter, 0);
    EXPECT_EQ(joined(next(*filter, place).pieces), "[1 a.b][2 a.c]");
}

TEST_F(Batches, are_ended_by_what_the_bus_lost) {
    const auto filter = filters_.with({"a.b"});
    Place place = at(*filter, 0);
    append("a.b");
    append("other.type");
    append_loss(3);
    append("a.b");
    EXPECT_EQ(joined(next(*filter, place).pieces), "[1 a.b]");
    const Batch& loss = next(*filter, place);
    EXPECT_EQ(loss.kind, Batch::Kind::lost);
    EXPECT_EQ(loss.loss.events(), 3u);
    EXPECT_EQ(place.offset, 3u);
    EXPECT_EQ(joined(next(*filter, place).pieces), "[4 a.b]");
}

TEST_F(Batches, that_are_coalesced_have_the_last_of_each_type_and_subject_in_order) {
    const auto filter = filters_.with({"a.*"});
    Place place = at(*filter, 0);
    append("a.b", "one");
    append("a.b", "two");
    append("a.c", "one");
    append("a.b", "one");
    append("b.b", "one");
    const Batch& batch = next(*filter, place, {.coalesce = true});
    EXPECT_EQ(joined(batch.pieces), "[2 a.b][3 a.c][4 a.b]");
    EXPECT_EQ(batch.events, 3u);
    EXPECT_EQ(batch.coalesced, 1u);
    EXPECT_EQ(place.offset, 5u);
}

TEST_F(Batches, that_are_coalesced_end_in_front_of_the_first_that_is_too_many_and_takes_no_place_of_another) {
    const auto filter = filters_.with({"*"});
    Place place = at(*filter, 0);
    for (const char* subject : {"1", "2", "1", "2", "3"}) append("a.b", subject);
    EXPECT_EQ(joined(next(*filter, place, {.events = 2, .coalesce = true}).pieces), "[3 a.b][4 a.b]");
    EXPECT_EQ(joined(next(*filter, place, {.events = 2, .coalesce = true}).pieces), "[5 a.b]");
}

TEST_F(Batches, are_none_for_now_when_too_much_would_have_to_be_looked_at) {
    const auto filter = filters_.with({"a.*"});
    Place place = at(*filter, 0);
    for (int i = 0; i < 40'000; ++i) append("b.b");
    append("a.b");
    for (const bool coalesce : {false, true}) {
        Place there = place;
        int looks = 1;
        for (; next(*filter, there, {.coalesce = coalesce}).kind == Batch::Kind::none; ++looks) ASSERT_LT(there.offset, journal_.last());
        EXPECT_EQ(looks, 3);
        EXPECT_EQ(there.offset, 40'001u);
        EXPECT_EQ(there.passed, filter->appended());
    }
}

TEST_F(Batches, of_many_events_that_replace_each_other_do_not_stop_the_others) {
    const auto filter = filters_.with({"a.*"});
    Place place = at(*filter, 0);
    for (int i = 0; i < 40'000; ++i) append("a.b", "one");
    std::uint64_t messages = 0, events = 0;
    for (Place there = place; there.offset < journal_.last(); ++messages) events += next(*filter, there, {.coalesce = true}).events;
    EXPECT_EQ(messages, 3u);
    EXPECT_EQ(events, 3u);
    EXPECT_EQ(json_.encoded, 3) << "only what is sent";
}

class BatchesOfLittle : public Batches {
protected:
    BatchesOfLittle() : Batches(std::size_t{1} << 20) {}
    void push_out_everything() {
        const std::string payload(100'000, 'x');
        for (int i = 0; i < 20; ++i) append("filler.event", "", payload);
    }
};

TEST_F(BatchesOfLittle, count_what_a_slow_client_missed_of_its_patterns_and_only_of_these) {
    const auto filter = filters_.with({"a.*"});
    append("a.b");
    Place place = at(*filter, 0);
    EXPECT_EQ(joined(next(*filter, place).pieces), "[1 a.b]");
    for (int i = 0; i < 7; ++i) append("a.b");
    for (int i = 0; i < 5; ++i) append("b.b");
    push_out_everything();
    append("a.b");
    const Batch& missed = next(*filter, place);
    EXPECT_EQ(missed.kind, Batch::Kind::missed);
    EXPECT_EQ(missed.events, 7u);
    EXPECT_EQ(joined(next(*filter, place).pieces), "[" + std::to_string(journal_.last()) + " a.b]");
    EXPECT_EQ(next(*filter, place).kind, Batch::Kind::none);
}

TEST_F(BatchesOfLittle, jump_over_what_others_missed_without_a_word) {
    const auto filter = filters_.with({"a.*"});
    Place place = at(*filter, 0);
    push_out_everything();
    EXPECT_EQ(next(*filter, place).kind, Batch::Kind::none);
    append("a.b");
    EXPECT_EQ(next(*filter, place).events, 1u);
}

TEST_F(BatchesOfLittle, count_for_a_filter_that_is_made_late_and_a_client_that_resumes) {
    for (int i = 0; i < 10; ++i) append("a.b");
    const auto filter = filters_.with({"a.*"});
    Place place = at(*filter, 4);
    push_out_everything();
    EXPECT_EQ(next(*filter, place).events, 6u);
}

TEST_F(Batches, of_filters_that_nobody_holds_are_forgotten) {
    append("a.b");
    const auto kept = filters_.with({"a.b"});
    for (int i = 0; i < 1000; ++i) filters_.with({"a.b" + std::to_string(i)});
    append("a.b");
    EXPECT_EQ(kept->appended(), 2u);
    EXPECT_EQ(kept->last(), 2u);
    EXPECT_EQ(filters_.with({"a.b", "a.b"}), kept) << "the same patterns, the same filter";
}

TEST(TokenBucket, has_as_many_as_were_earned_and_at_most_those_of_a_second) {
    const Clock::time_point start{};
    TokenBucket bucket(10, start);
    EXPECT_EQ(bucket.available(start), 10u);
    bucket.take(10);
    EXPECT_EQ(bucket.available(start), 0u);
    EXPECT_EQ(bucket.available(bucket.next()), 1u);
    EXPECT_EQ(bucket.available(start + std::chrono::milliseconds(550)), 5u);
    EXPECT_EQ(bucket.available(start + std::chrono::hours(1)), 10u);
}

}  // namespace
}  // namespace swarmbus::gateway
