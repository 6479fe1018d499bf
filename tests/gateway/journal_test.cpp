// The journal, its lanes and cursors.
#include <algorithm>

#include "tests/gateway/gateway_fixture.hpp"

#include "ws_gateway/journal/cursor.hpp"
#include "ws_gateway/journal/latest.hpp"

namespace swarmbus::gateway {
namespace {

TEST(Cursor, is_written_as_epoch_and_offset) {
    EXPECT_EQ(text_of({0x9f86d081884c7d65, 1041}), "9f86d081884c7d65-1041");
    EXPECT_EQ(text_of({1, 0}), "0000000000000001-0");
    EXPECT_EQ(parse_cursor("0000000000000001-18446744073709551615"), (Cursor{1, ~std::uint64_t{0}}));
}

TEST(Cursor, that_is_written_otherwise_is_none) {
    for (const char* text : {"", "-", "9f86d081884c7d65", "9f86d081884c7d65-", "9f86d081884c7d65-x", "9f86d081884c7d65-1 ",
                             "9f86d081884c7d6-1", "9f86d081884c7d65-18446744073709551616", "9g86d081884c7d65-1", "9f86d081884c7d65--1",
                             "-f86d081884c7d65-1", "9f86d081884c7d65-+1"}) {
        EXPECT_FALSE(parse_cursor(text)) << text;
    }
}

class JournalOfMuch : public JournalTest {};

TEST_F(JournalOfMuch, numbers_events_from_one_and_gives_them_back_as_they_were) {
    EXPECT_EQ(journal_.first(), 1u);
    EXPECT_EQ(journal_.last(), 0u);
    Record record;
    record.type_name = "agent.created";
    record.source = "me";
    record.subject = "agent-7";
    record.payload = "payload";
    record.time_ns = 5;
    record.sequence = 6;
    record.writer = 7;
    record.encoding = SWB_TEXT;
    journal_.append(record);
    const Record kept = journal_.record(1);
    EXPECT_EQ(kept.offset, 1u);
    EXPECT_EQ(kept.type_name, "agent.created");
    EXPECT_EQ(kept.source, "me");
    EXPECT_EQ(kept.subject, "agent-7");
    EXPECT_EQ(kept.payload, "payload");
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(kept.payload.data()) % 8, 0u);
    EXPECT_EQ(kept.time_ns, 5u);
    EXPECT_EQ(kept.sequence, 6u);
    EXPECT_EQ(kept.writer, 7u);
    EXPECT_EQ(kept.encoding, static_cast<std::uint32_t>(SWB_TEXT));
}

TEST_F(JournalOfMuch, encodes_an_event_once_for_each_format_that_asks) {
    append("a.b");
    append("a.c");
    EXPECT_EQ(json_.encoded, 0);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(journal_.encoded(Format::json, 2).view(), "[2 a.c]");
    EXPECT_EQ(json_.encoded, 1);
    EXPECT_EQ(sse_.encoded, 0);
    EXPECT_EQ(journal_.encoded(Format::json, 1).view(), "[1 a.b]");
    EXPECT_EQ(json_.encoded, 2);
}

TEST_F(JournalOfMuch, keeps_what_the_bus_lost) {
    append("a.b");
    append_loss(12);
    EXPECT_TRUE(journal_.entry(2).is_loss());
    EXPECT_EQ(journal_.loss(2).events(), 12u);
    EXPECT_EQ(journal_.last(), 2u);
}

class JournalOfOneMebibyte : public JournalTest {
protected:
    JournalOfOneMebibyte() : JournalTest(std::size_t{1} << 20) {}
};

TEST_F(JournalOfOneMebibyte, forgets_the_oldest_and_stays_within_its_bytes) {
    const std::string payload(1000, 'x');
    for (int i = 0; i < 10'000; ++i) {
        append("a.b", "", payload);
        ASSERT_LE(journal_.bytes(), std::size_t{1} << 20);
    }
    EXPECT_EQ(journal_.last(), 10'000u);
    EXPECT_GT(journal_.first(), 9'000u);
    EXPECT_LT(journal_.first(), 9'500u);
    EXPECT_EQ(journal_.record(journal_.first()).payload, payload);
}

TEST_F(JournalOfOneMebibyte, forgets_what_was_encoded_and_no_event_for_it) {
    const std::string payload(1000, 'x');
    for (int i = 0; i < 1000; ++i) append("a.b", "", payload);
    const std::uint64_t first = journal_.first();
    for (int round = 0; round < 100; ++round) {
        for (std::uint64_t offset = first; offset <= journal_.last(); ++offset) {
            ASSERT_EQ(journal_.encoded(Format::json, offset).view(), "[" + std::to_string(offset) + " a.b]");
        }
        for (std::uint64_t offset = first; offset <= journal_.last(); ++offset) journal_.encoded(Format::flat, offset);
        journal_.trim_encoded();
        ASSERT_LE(journal_.bytes(), std::size_t{3} << 20);
    }
    EXPECT_EQ(journal_.first(), first);
}

TEST_F(JournalOfOneMebibyte, an_offset_that_is_used_up_is_no_event) {
    append("a.b");
    journal_.append_nothing();
    append("a.b");
    EXPECT_EQ(journal_.last(), 3u);
    EXPECT_FALSE(journal_.entry(2).is_event());
    EXPECT_FALSE(journal_.entry(2).is_loss());
    for (int i = 0; i < 100; ++i) append("a.b", "", std::string(100'000, 'x'));
    EXPECT_GT(journal_.first(), 3u);
}

TEST_F(JournalOfOneMebibyte, keeps_an_event_that_is_larger_than_all_its_bytes) {
    append("a.b");
    append("a.b", "", std::string(std::size_t{2} << 20, 'x'));
    EXPECT_EQ(journal_.first(), 2u);
    append("a.b");
    EXPECT_EQ(journal_.first(), 3u);
    EXPECT_LE(journal_.bytes(), std::size_t{1} << 20);
}

TEST_F(JournalOfOneMebibyte, encodes_old_events_after_new_ones) {
    for (int i = 0; i < 100; ++i) append("a.b");
    journal_.encoded(Format::json, 100);
    for (std::uint64_t offset = 40; offset <= 60; ++offset) {
        EXPECT_EQ(journal_.encoded(Format::json, offset).view(), "[" + std::to_string(offset) + " a.b]");
    }
    EXPECT_EQ(json_.encoded, 22);
    const std::string payload(100'000, 'x');
    for (int i = 0; i < 100; ++i) {
        append("a.b", "", payload);
    }
    EXPECT_GT(journal_.first(), 100u);
    EXPECT_EQ(journal_.encoded(Format::json, journal_.first()).view(), "[" + std::to_string(journal_.first()) + " a.b]");
}

class LatestEvents : public JournalTest {
protected:
    std::vector<std::string> walked(Latest::Walk walk) const {
        std::vector<std::string> found;
        Record record;
        while (latest_.next(
            walk, [](TypeId) { return true; }, record)) {
            found.push_back(std::string(record.type_name) + " " + std::string(record.subject) + " " + std::string(record.payload));
        }
        return found;
    }

    Latest latest_{journal_, std::size_t{1} << 20};
};

TEST_F(LatestEvents, are_one_for_each_type_and_subject) {
    append("a.b", "one", "1");
    append("a.b", "two", "2");
    append("a.c", "one", "3");
    append("a.b", "one", "a longer payload than the one before");
    EXPECT_EQ(walked(latest_.walk()), (std::vector<std::string>{"a.b one a longer payload than the one before", "a.b two 2", "a.c one 3"}));
    EXPECT_EQ(latest_.size(), 3u);
}

TEST_F(LatestEvents, leave_what_came_during_a_walk_to_who_follows_the_journal) {
    append("a.b", "one", "1");
    append("a.b", "two", "2");
    const Latest::Walk walk = latest_.walk();
    EXPECT_EQ(walk.began(), 2u);
    append("a.b", "two", "3");
    append("a.b", "three", "4");
    EXPECT_EQ(walked(walk), (std::vector<std::string>{"a.b one 1"}));
}

TEST_F(LatestEvents, forget_what_was_not_renewed_for_longest_and_say_so) {
    EXPECT_TRUE(latest_.is_complete());
    const std::string payload(1000, 'x');
    append("a.b", "kept", payload);
    for (int i = 0; i < 5000; ++i) {
        append("a.b", std::to_string(i).c_str(), payload);
        if (i % 100 == 0) append("a.b", "kept", payload);
        ASSERT_LE(latest_.bytes(), std::size_t{1} << 20);
    }
    EXPECT_GT(latest_.size(), 500u);
    EXPECT_LT(latest_.size(), 1100u);
    EXPECT_FALSE(latest_.is_complete());
    const auto found = walked(latest_.walk());
    EXPECT_EQ(found.size(), latest_.size());
    EXPECT_EQ(std::ranges::count(found, "a.b kept " + payload), 1);
}

TEST_F(LatestEvents, are_not_complete_once_the_bus_has_lost_events) {
    append("a.b", "one", "1");
    append_loss(1);
    EXPECT_FALSE(latest_.is_complete());
    EXPECT_EQ(walked(latest_.walk()), (std::vector<std::string>{"a.b one 1"}));
}

TEST_F(LatestEvents, of_a_bus_that_is_gone_are_forgotten) {
    append("a.b", "one", "1");
    Latest::Walk walk = latest_.walk();
    journal_.append(BusLoss{.by_cause = {}, .reattached = true});
    append("a.b", "two", "2");
    EXPECT_EQ(walked(walk), (std::vector<std::string>{}));
    EXPECT_EQ(walked(latest_.walk()), (std::vector<std::string>{"a.b two 2"}));
    EXPECT_FALSE(latest_.is_complete());
}

}  // namespace
}  // namespace swarmbus::gateway
