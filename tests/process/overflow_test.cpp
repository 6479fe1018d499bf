// What becomes of events for which an inbox has no room, and how exactly that is told.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"
#include "tests/support/process_numbered.hpp"
#include "tests/support/process_shared.hpp"

namespace swarmbus::test {
namespace {

Options small(Overflow overflow) {
    Options options;
    options.capacity_slots = 16;
    options.overflow = overflow;
    return options;
}

// Numbers `first` to `last`, from another process that has ended when this returns.
void publish_from_another_process(const BusName& name, int first, int last) {
    Process publisher([&] {
        Bus other(name);
        for (int n = first; n <= last; ++n) other.publish("number.told", std::to_string(n));
    });
    ASSERT_TRUE(publisher.ended_well());
}

TEST(Overflow, drop_oldest_keeps_the_newest_events_and_tells_exactly_what_made_room) {
    const BusName name;
    Bus bus(name, small(Overflow::drop_oldest));
    bus.subscribe("number.*");
    publish_from_another_process(name, 1, 100);
    EXPECT_EQ(bus.lost(LossCause::evicted), 84u);
    std::uint64_t told = 0;
    for (std::uint64_t n = 85; n <= 100; ++n) {
        const auto event = bus.next(0ns);
        ASSERT_TRUE(event && *event);
        EXPECT_EQ(event->text(), std::to_string(n));
        EXPECT_EQ(event->lost(), event->lost(LossCause::evicted));
        EXPECT_EQ(event->lost(), n == 85 ? 84u : 0u) << "all that made room lies before the first event";
        told += event->lost();
    }
    EXPECT_EQ(told, 84u);
    EXPECT_FALSE(bus.next(0ns));
}

TEST(Overflow, drop_oldest_never_touches_an_event_that_the_reader_looks_at) {
    const BusName name;
    Bus bus(name, small(Overflow::drop_oldest));
    bus.subscribe("number.*");
    publish_from_another_process(name, 1, 16);
    const auto batch = bus.next_batch(8, 0ns);
    ASSERT_EQ(batch.size(), 8u);
    publish_from_another_process(name, 17, 500);
    for (int n = 1; n <= 8; ++n) EXPECT_EQ(batch[static_cast<std::size_t>(n - 1)].text(), std::to_string(n));
    std::uint64_t received = 8, told = 0;
    std::string last;
    while (const auto event = bus.next(0ns)) {
        told += event->lost();
        if (!*event) continue;
        last = event->text();
        ++received;
    }
    EXPECT_EQ(received + told, 500u);
    EXPECT_EQ(last, "500");
}

TEST(Overflow, drop_newest_keeps_the_oldest_events_and_tells_the_rest_on_its_own) {
    const BusName name;
    Bus bus(name, small(Overflow::drop_newest));
    bus.subscribe("number.*");
    publish_from_another_process(name, 1, 26);
    for (int n = 1; n <= 16; ++n) {
        const auto event = bus.next(0ns);
        ASSERT_TRUE(event && *event);
        EXPECT_EQ(event->text(), std::to_string(n));
        EXPECT_EQ(event->lost(), 0u) << "what was lost came after it";
    }
    const auto losses = bus.next(0ns);
    ASSERT_TRUE(losses);
    EXPECT_FALSE(*losses) << "no event, only losses";
    EXPECT_EQ(losses->lost(LossCause::full), 10u);
    EXPECT_FALSE(bus.next(0ns)) << "told once";
}

TEST(Overflow, the_next_event_tells_what_was_lost_before_it) {
    const BusName name;
    Bus bus(name, small(Overflow::drop_newest));
    bus.subscribe("number.*");
    publish_from_another_process(name, 1, 20);
    for (int n = 1; n <= 8; ++n) ASSERT_TRUE(bus.next(0ns));
    bus.release();
    publish_from_another_process(name, 21, 22);
    for (int n = 9; n <= 16; ++n) ASSERT_EQ(bus.next(0ns).value().lost(), 0u);
    const auto event = bus.next(0ns);
    ASSERT_TRUE(event && *event);
    EXPECT_EQ(event->text(), "21");
    EXPECT_EQ(event->lost(LossCause::full), 4u);
    EXPECT_EQ(bus.next(0ns).value().lost(), 0u);
}

TEST(Overflow, a_publisher_is_told_which_inboxes_did_not_get_its_event) {
    const BusName name;
    Bus oldest(name, small(Overflow::drop_oldest));
    Bus newest = oldest.separate(small(Overflow::drop_newest));
    oldest.subscribe("*");
    newest.subscribe("*");
    Process publisher([&] {
        Bus other(name);
        for (int n = 0; n < 16; ++n) require(other.publish("a.b", Message{}).delivered == 2, "both have room");
        const Delivery delivery = other.publish("a.b", Message{});
        require(delivery.delivered == 1 && delivery.dropped == 1, "an eviction makes room, a full inbox does not");
        require(delivery.dropped_for(LossCause::full) == 1, "the cause");
        require(!other.publish("a.b", ""), "told by the short form, too");
    });
    EXPECT_TRUE(publisher.ended_well());
}

// peers 11, peers 10: received + told = sent for each of eight readers that can't keep up.
TEST(Overflow, eight_readers_at_full_rate_each_know_exactly_what_they_lost) {
    const auto sent = static_cast<std::uint64_t>(rounds(200'000, 10'000));
    const BusName name;
    const Bus keeps_it(name);
    Channel<int> subscribed;
    std::vector<std::unique_ptr<Process>> readers;
    for (int r = 0; r < 8; ++r) {
        readers.push_back(std::make_unique<Process>([&, r] {
            Options options;
            options.capacity_slots = 64;
            options.overflow = r % 4 == 3 ? Overflow::drop_newest : Overflow::drop_oldest;
            Bus bus(name, options);
            Tally tally;
            if (r % 2 == 0) {
                bus.subscribe("load.*");
            } else {
                bus.subscribe("load.*", [&](const Event& event) { tally.take(event); });
            }
            subscribed.send(r);
            while (tally.received() + tally.told() < sent) {
                if (r % 2 == 0) {
                    const auto batch = bus.next_batch(16, kPatience);
                    require(!batch.empty(), "events stop before all are received or told lost");
                    for (const Event& event : batch) tally.take(event);
                } else {
                    const std::uint64_t before = tally.received();
                    bus.run_once(kPatience);
                    // Losses that nothing followed have no handler to go to: they are in the sum.
                    const std::uint64_t lost = bus.lost(LossCause::evicted) + bus.lost(LossCause::full);
                    if (tally.received() + lost == sent) return require(tally.fault().empty(), tally.fault());
                    require(tally.received() > before || lost > 0, "events stop before all are received or counted lost");
                }
            }
            require(tally.fault().empty(), tally.fault());
            require(tally.received() + tally.told() == sent, "received + told losses are more than was sent");
        }));
        ASSERT_TRUE(subscribed.receive());
    }
    Process publisher([&] {
        Bus bus(name);
        Publisher load = bus.publisher("load.tick");
        for (std::uint64_t n = 1; n <= sent; ++n) load.publish(NumberedPayload({0, n}).bytes());
    });
    EXPECT_TRUE(publisher.ended_well());
    for (auto& reader : readers) EXPECT_TRUE(reader->ended_well());
}

}  // namespace
}  // namespace swarmbus::test
