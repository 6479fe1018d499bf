#include "latest_events.hpp"

#include <gtest/gtest.h>

#include "received.hpp"

namespace swarm {
namespace {

std::string text_of_payload(const swarmbus::Event& event) { return std::string(event.text()); }

void offer(LatestEvents& latest, const char* type, std::uint64_t time_ns) {
    latest.offer(Received{.type = type, .time_ns = time_ns}.event());
}

TEST(LatestEvents, shows_nothing_before_the_turn_ends) {
    LatestEvents latest(2, text_of_payload);
    offer(latest, "task.started", 1);
    EXPECT_TRUE(latest.lines().empty());
    latest.turn();
    EXPECT_EQ(latest.lines().size(), 1u);
}

TEST(LatestEvents, shows_no_more_than_it_was_told_a_turn_the_newest_first) {
    LatestEvents latest(2, text_of_payload);
    offer(latest, "a.b", 1);
    offer(latest, "c.d", 2);
    offer(latest, "e.f", 3);
    latest.turn();
    ASSERT_EQ(latest.lines().size(), 2u);
    EXPECT_GT(latest.lines()[0].time_ns, latest.lines()[1].time_ns);
}

TEST(LatestEvents, shows_the_newest_event_of_a_type) {
    LatestEvents latest(1, text_of_payload);
    offer(latest, "task.started", 1);
    offer(latest, "task.started", 2);
    latest.turn();
    ASSERT_EQ(latest.lines().size(), 1u);
    EXPECT_EQ(latest.lines()[0].time_ns, 2u);
}

TEST(LatestEvents, has_payloads_as_it_was_told_to_show_them_cut_to_what_fits) {
    LatestEvents latest(1, [](const swarmbus::Event&) { return std::string(1000, 'x'); });
    offer(latest, "a.b", 1);
    latest.turn();
    EXPECT_EQ(latest.lines().front().payload, std::string(256, 'x'));
}

TEST(LatestEvents, a_rare_type_is_not_drowned_by_frequent_ones) {
    LatestEvents latest(1, text_of_payload);
    for (std::uint64_t turn = 0; turn < 5; ++turn) {
        for (const char* type : {"a.often", "b.often"}) offer(latest, type, turn);
        latest.turn();
    }
    offer(latest, "a.often", 10);
    offer(latest, "b.often", 11);
    offer(latest, "c.rare", 12);
    latest.turn();
    EXPECT_EQ(latest.lines().front().type, "c.rare");
}

TEST(LatestEvents, keeps_a_bounded_number_of_lines) {
    LatestEvents latest(1, text_of_payload);
    for (std::uint64_t turn = 0; turn < 1000; ++turn) {
        offer(latest, "a.b", turn);
        latest.turn();
    }
    EXPECT_EQ(latest.lines().size(), 100u);
    EXPECT_EQ(latest.lines().front().time_ns, 999u);
}

}  // namespace
}  // namespace swarm
