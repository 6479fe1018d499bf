// Types, patterns, and the bitmaps that follow from them.
#include <gtest/gtest.h>

#include "src/error.hpp"
#include "src/routing/name.hpp"
#include "tests/unit/private_segment.hpp"

namespace swarmbus::test {
namespace {

using Texts = std::vector<std::string>;

struct TypeTable : testing::Test {
    PrivateSegment bus;
};
struct PatternStore : testing::Test {
    PrivateSegment bus;
};
struct Routes : testing::Test {
    PrivateSegment bus;
};

TEST_F(TypeTable, finds_what_was_entered) {
    EXPECT_EQ(types_in_use(*bus), 0u);
    EXPECT_EQ(find_type(*bus, "agent.created"), std::nullopt);
    EXPECT_EQ(bus.type("agent.created"), 0u);
    EXPECT_EQ(bus.type(std::string(127, 'x')), 1u);
    EXPECT_EQ(types_in_use(*bus), 2u);
    EXPECT_EQ(find_type(*bus, "agent.created"), 0u);
    EXPECT_EQ(find_type(*bus, std::string(127, 'x')), 1u);
    EXPECT_EQ(find_type(*bus, "agent.create"), std::nullopt);
    EXPECT_EQ(type_name(*bus, 0), "agent.created");
    EXPECT_EQ(bus->type(0).hash, hash_name("agent.created"));
}

TEST_F(TypeTable, takes_as_many_types_as_it_has_places_and_then_says_so) {
    for (std::uint32_t i = 0; i < 8; ++i) EXPECT_EQ(enter_type(*bus, "t" + std::to_string(i)), i);
    EXPECT_EQ(enter_type(*bus, "one.more"), std::nullopt);
    EXPECT_EQ(types_in_use(*bus), 8u);
    EXPECT_EQ(find_type(*bus, "t7"), 7u);
}

TEST_F(TypeTable, tells_names_with_the_same_hash_apart) {
    bus.type("agent.created");
    bus->type(0).hash = hash_name("task.created");
    EXPECT_EQ(find_type(*bus, "task.created"), std::nullopt);
}

TEST_F(TypeTable, has_no_name_for_an_index_that_is_out_of_range_or_damaged) {
    bus.type("agent.created");
    EXPECT_EQ(type_name(*bus, 1), "");
    EXPECT_EQ(type_name(*bus, 8), "");
    EXPECT_EQ(type_name(*bus, SWB_TYPE_INLINE), "");
    bus->type(0).name_bytes = 128;
    EXPECT_EQ(type_name(*bus, 0), "");
    bus->header().types_used = 1'000'000;
    EXPECT_EQ(types_in_use(*bus), 8u);
}

TEST_F(PatternStore, gives_back_what_was_stored) {
    const std::uint32_t inbox = bus.subscribe({"agent.*", "task.+.failed", ">"});
    EXPECT_EQ(read_patterns(*bus, inbox), (Texts{"agent.*", "task.+.failed", ">"}));
    EXPECT_EQ(stored_bytes({"agent.*", "*"}), 8u + 2u);
}

TEST_F(PatternStore, writes_the_copy_that_nobody_reads) {
    const std::uint32_t inbox = bus.subscribe({"a"});
    for (std::uint32_t change = 0; change < 5; ++change) {
        const std::uint32_t version = bus->subscriber(inbox).patterns_version;
        const Texts patterns{"p" + std::to_string(change), "q"};
        write_patterns(*bus, inbox, patterns);
        EXPECT_EQ(bus->subscriber(inbox).patterns_version, version + 1);
        EXPECT_EQ(read_patterns(*bus, inbox), patterns);
        bus->subscriber(inbox).patterns_version = version;
        EXPECT_NE(read_patterns(*bus, inbox), patterns) << "the copy before is still whole";
        bus->subscriber(inbox).patterns_version = version + 1;
    }
}

TEST_F(PatternStore, takes_2048_bytes_and_refuses_more_without_a_change) {
    const std::uint32_t inbox = bus.subscribe({"a"});
    const Texts just_fit(16, std::string(127, 'x'));
    write_patterns(*bus, inbox, just_fit);
    EXPECT_EQ(read_patterns(*bus, inbox), just_fit);
    Texts too_many = just_fit;
    too_many.emplace_back("a");
    try {
        write_patterns(*bus, inbox, too_many);
        FAIL() << "not refused";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), SWB_ERR_PATTERNS_FULL);
    }
    EXPECT_EQ(read_patterns(*bus, inbox), just_fit);
}

TEST_F(PatternStore, has_nothing_for_an_inbox_that_is_not_open) {
    const std::uint32_t inbox = take_inbox(*bus, {0, 1}, 16, Overflow::drop_oldest);
    write_patterns(*bus, inbox, {"*"});
    EXPECT_EQ(read_patterns(*bus, inbox), Texts{});
    activate_inbox(*bus, inbox);
    EXPECT_EQ(read_patterns(*bus, inbox), Texts{"*"});
    free_inbox(*bus, inbox);
    EXPECT_EQ(read_patterns(*bus, inbox), Texts{});
}

TEST_F(PatternStore, has_nothing_for_an_entry_that_leads_out_of_the_rings) {
    const std::uint32_t inbox = bus.subscribe({"*"});
    for (const std::uint64_t at : {std::uint64_t{1} << 20, std::uint64_t{1}, ~std::uint64_t{0} & ~std::uint64_t{0xfff}}) {
        bus->subscriber(inbox).block_at = at;
        EXPECT_EQ(read_patterns(*bus, inbox), Texts{}) << at;
        EXPECT_THROW(write_patterns(*bus, inbox, {"*"}), Error) << at;
    }
}

TEST_F(PatternStore, is_read_within_its_bounds_when_damaged) {
    const std::uint32_t inbox = bus.subscribe({"agent.*"});
    swb_l_subscriber& entry = bus->subscriber(inbox);
    entry.pattern_bytes[entry.patterns_version & 1] = 0xffffffff;
    const Texts read = read_patterns(*bus, inbox);
    ASSERT_FALSE(read.empty());
    EXPECT_EQ(read[0], "agent.*");
    std::size_t bytes = 0;
    for (const std::string& text : read) bytes += text.size() + 1;
    EXPECT_LE(bytes, SWB_PATTERN_COPY_BYTES + 1);
}

TEST_F(Routes, lead_to_each_inbox_whose_patterns_match_when_it_subscribes) {
    bus.type("agent.created");
    bus.type("agent.status.changed");
    bus.type("task.created");
    const std::uint32_t agents = bus.subscribe({"agent.*"});
    const std::uint32_t all = bus.subscribe({"*"});
    const std::uint32_t created = bus.subscribe({"+.created", "nothing.else"});
    for (const auto& [inbox, expected] : {std::pair{agents, 0b011}, std::pair{all, 0b111}, std::pair{created, 0b101}}) {
        for (std::uint32_t t = 0; t < 3; ++t) EXPECT_EQ(bus.routed(t, inbox), (expected >> t & 1) != 0) << inbox << " " << t;
    }
}

TEST_F(Routes, lead_to_each_inbox_whose_patterns_match_when_a_type_is_new) {
    const std::uint32_t agents = bus.subscribe({"task.x", "agent.*"});
    const std::uint32_t tasks = bus.subscribe({"task.*"});
    const std::uint32_t created = bus.type("agent.created");
    EXPECT_TRUE(bus.routed(created, agents));
    EXPECT_FALSE(bus.routed(created, tasks));
}

TEST_F(Routes, follow_when_the_patterns_of_an_inbox_change) {
    bus.type("agent.created");
    bus.type("task.created");
    const std::uint32_t inbox = bus.subscribe({"agent.*"});
    const std::uint32_t other = bus.subscribe({"*"});
    route_inbox(*bus, inbox, compiled({"task.*"}));
    EXPECT_FALSE(bus.routed(0, inbox));
    EXPECT_TRUE(bus.routed(1, inbox));
    unroute_inbox(*bus, inbox);
    EXPECT_FALSE(bus.routed(1, inbox));
    EXPECT_TRUE(bus.routed(0, other));
    EXPECT_TRUE(bus.routed(1, other));
}

TEST_F(Routes, have_a_summary_with_one_bit_for_each_word_that_is_not_empty) {
    bus.type("agent.created");
    for (std::uint32_t i = 0; i < 130; ++i) {
        // An index a word; the inboxes between take no memory.
        bus->inbox(i).gate = Gate::of(1, SWB_GATE_FREED).raw;
    }
    EXPECT_EQ(bus.summary(0), 0u);
    const auto one = compiled({"agent.*"}), none = compiled({"task.*"});
    for (const std::uint32_t inbox : {0u, 63u, 64u, 129u}) route_inbox(*bus, inbox, one);
    EXPECT_EQ(bus.summary(0), 0b111u);
    EXPECT_EQ(bus.route_word(0, 0), std::uint64_t{1} | std::uint64_t{1} << 63);
    EXPECT_EQ(bus.route_word(0, 1), 1u);
    EXPECT_EQ(bus.route_word(0, 2), std::uint64_t{1} << 1);
    route_inbox(*bus, 0, none);
    EXPECT_EQ(bus.summary(0), 0b111u) << "63 is still in the first word";
    route_inbox(*bus, 63, none);
    EXPECT_EQ(bus.summary(0), 0b110u);
    unroute_inbox(*bus, 129);
    EXPECT_EQ(bus.summary(0), 0b010u);
}

TEST_F(Routes, of_one_type_do_not_touch_those_of_the_next) {
    bus.type("agent.created");
    bus.type("task.created");
    route_inbox(*bus, 129, compiled({"agent.*"}));
    EXPECT_EQ(bus.summary(1), 0u);
    for (std::uint32_t word = 0; word < 3; ++word) EXPECT_EQ(bus.route_word(1, word), 0u);
}

TEST_F(Routes, are_matched_from_the_patterns_of_open_inboxes_only) {
    const std::uint32_t open = bus.subscribe({"agent.*"});
    const std::uint32_t closed = bus.subscribe({"agent.*"});
    free_inbox(*bus, closed);
    EXPECT_EQ(match_inboxes(*bus, "agent.created"), (std::vector<std::uint64_t>{std::uint64_t{1} << open, 0, 0}));
    EXPECT_EQ(match_inboxes(*bus, "task.created"), (std::vector<std::uint64_t>{0, 0, 0}));
}

TEST_F(Routes, ignore_a_stored_pattern_that_is_damaged) {
    const std::uint32_t inbox = bus.subscribe({"agent.*", "task.*"});
    const swb_l_subscriber& entry = bus->subscriber(inbox);
    std::byte* copy = bus->open_block(entry.block_at, entry.block_bytes) + (entry.patterns_version & 1) * SWB_PATTERN_COPY_BYTES;
    copy[0] = std::byte{'A'};
    EXPECT_EQ(match_inboxes(*bus, "agent.created")[0], 0u);
    EXPECT_EQ(match_inboxes(*bus, "task.created")[0], 1u);
}

}  // namespace
}  // namespace swarmbus::test
