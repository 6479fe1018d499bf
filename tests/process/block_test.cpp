// Inboxes that make publishers wait for room.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"
#include "tests/support/process_numbered.hpp"
#include "tests/support/process_shared.hpp"

namespace swarmbus::test {
namespace {

constexpr std::uint32_t kSlots = 16;
// Longer than the test waits for anything: a publisher that comes back in time did not wait it out.
constexpr std::chrono::nanoseconds kLongDeadline = 10 * kPatience;

Options blocking(std::chrono::nanoseconds block_timeout = kLongDeadline) {
    Options options;
    options.capacity_slots = kSlots;
    options.overflow = Overflow::block;
    options.block_timeout = block_timeout;
    return options;
}

void fill(Bus& bus, const char* type = "a.b") {
    for (std::uint32_t n = 0; n < kSlots; ++n) bus.publish(type, std::to_string(n));
}

swb_delivery publish(Bus& bus, const char* type = "a.b") {
    const swb_message message = Message{}.raw();
    swb_delivery delivery{};
    delivery.size = sizeof delivery;
    detail::check(swb_publish_message(bus.raw(), type, &message, &delivery));
    return delivery;
}

TEST(Block, nothing_is_lost_to_a_slow_reader) {
    const auto sent = static_cast<std::uint64_t>(rounds(20'000, 2'000));
    const BusName name;
    Bus bus(name, blocking());
    bus.subscribe("load.*");
    std::vector<std::unique_ptr<Process>> publishers;
    for (std::uint32_t p = 0; p < 3; ++p) {
        publishers.push_back(std::make_unique<Process>([&, p] {
            Bus other(name, blocking());
            for (std::uint64_t n = 1; n <= sent; ++n) require(other.publish("load.tick", NumberedPayload({p, n}).bytes()), "delivered");
        }));
    }
    Tally tally;
    while (tally.received() < 3 * sent) {
        const auto event = bus.next(kPatience);
        if (!event) break;
        tally.take(*event);
        if (tally.received() % 64 == 0) std::this_thread::yield();
    }
    EXPECT_EQ(tally.received(), 3 * sent);
    EXPECT_EQ(tally.told(), 0u);
    EXPECT_EQ(tally.fault(), "");
    for (auto& publisher : publishers) EXPECT_TRUE(publisher->ended_well());
}

TEST(Block, a_publisher_waits_until_its_deadline_then_drops_and_the_reader_is_told) {
    const BusName name;
    Bus bus(name, blocking());
    bus.subscribe("*");
    Process publisher([&] {
        Bus other(name, blocking(30ms));
        fill(other);
        const auto start = std::chrono::steady_clock::now();
        const swb_delivery delivery = publish(other);
        require(delivery.dropped == 1 && delivery.dropped_by[SWB_LOSS_TIMEOUT] == 1, "dropped by the deadline");
        require(std::chrono::steady_clock::now() - start >= 30ms, "it waited for its whole deadline");
    });
    ASSERT_TRUE(publisher.ended_well());
    for (std::uint32_t n = 0; n < kSlots; ++n) EXPECT_EQ(bus.next(0ns).value().text(), std::to_string(n));
    const auto losses = bus.next(0ns);
    ASSERT_TRUE(losses);
    EXPECT_EQ(losses->lost(LossCause::timeout), 1u);
    EXPECT_EQ(losses->lost(), 1u);
}

TEST(Block, a_message_may_bring_its_own_deadline_or_none) {
    const BusName name;
    Bus bus(name, blocking());
    bus.subscribe("*");
    Process publisher([&] {
        Bus other(name, blocking());  // would wait for minutes
        fill(other);
        Message message;
        message.block_timeout = 0ns;
        require(other.publish("a.b", message).dropped == 1, "dropped without a wait");
    });
    EXPECT_TRUE(publisher.ended_well());
}

TEST(Block, an_event_that_waited_less_does_not_cost_the_next_its_wait) {
    for (const std::chrono::nanoseconds shorter : {0ns, 2'000'000ns}) {
        const BusName name;
        Bus bus(name, blocking());
        bus.subscribe("*");
        Channel<int> refused;
        Process publisher([&] {
            Bus other(name, blocking());
            fill(other);
            Message message;
            message.block_timeout = shorter;
            require(other.publish("a.b", message).dropped == 1, "dropped soon");
            refused.send(1);
            require(publish(other).delivered == 1, "waited for");
        });
        ASSERT_TRUE(refused.receive());
        std::this_thread::sleep_for(5ms);  // into its wait; any moment before would do as well
        EXPECT_TRUE(bus.next(0ns));
        bus.release();
        EXPECT_TRUE(publisher.ended_well());
    }
}

TEST(Block, a_handle_that_may_never_wait_drops_at_once) {
    const BusName name;
    Bus bus(name, blocking());
    bus.subscribe("*");
    Process publisher([&] {
        Bus other(name, blocking(0ns));
        fill(other);
        require(publish(other).dropped_by[SWB_LOSS_TIMEOUT] == 1, "dropped");
    });
    EXPECT_TRUE(publisher.ended_well());
}

TEST(Block, a_handler_that_publishes_to_its_own_full_inbox_does_not_wait_for_itself) {
    const BusName name;
    Bus bus(name, blocking());
    swb_delivery delivery{};
    bus.subscribe("a.*", [&](const Event&) {
        if (delivery.dropped == 0) delivery = publish(bus);
    });
    fill(bus);
    ASSERT_GT(bus.run_once(0ns), 0u);
    EXPECT_EQ(delivery.delivered, 0u);
    EXPECT_EQ(delivery.dropped_by[SWB_LOSS_SELF], 1u);
    EXPECT_EQ(bus.lost(LossCause::self), 1u);
}

TEST(Block, a_thread_that_holds_a_view_of_a_full_inbox_does_not_wait_for_itself_through_another_handle) {
    const BusName name;
    Bus bus(name, blocking());
    Bus second(name, blocking());
    bus.subscribe("*");
    fill(bus);
    ASSERT_TRUE(bus.next(0ns));
    EXPECT_EQ(publish(second).dropped_by[SWB_LOSS_SELF], 1u);
    bus.release();
    EXPECT_EQ(publish(second).delivered, 1u) << "giving the view back makes room";
}

// The publisher waits in another process; `change` must end its wait, with nothing delivered.
template <typename Change>
void expect_wait_to_end(Bus& bus, const BusName& name, Change&& change) {
    fill(bus);
    Shared<std::atomic<int>> waiting;
    Channel<swb_delivery> result;
    Process publisher([&] {
        Bus other(name, blocking());
        *waiting = 1;
        result.send(publish(other));
    });
    ASSERT_TRUE(eventually([&] { return *waiting == 1; }));
    ASSERT_FALSE(result.receive(50ms)) << "it waits for room";
    change();
    const auto delivery = result.receive();
    ASSERT_TRUE(delivery) << "its wait did not end";
    EXPECT_EQ(delivery->delivered, 0u);
    EXPECT_TRUE(publisher.ended_well());
}

TEST(Block, closing_a_full_inbox_ends_the_wait_of_its_publishers) {
    const BusName name;
    Bus bus(name, blocking());
    std::optional<Bus> full = bus.separate(blocking());
    full->subscribe("*");
    expect_wait_to_end(bus, name, [&] { full.reset(); });
}

TEST(Block, unsubscribing_a_full_inbox_ends_the_wait_of_its_publishers) {
    const BusName name;
    Bus bus(name, blocking());
    const SubscriptionId id = bus.subscribe("*");
    expect_wait_to_end(bus, name, [&] { bus.unsubscribe(id); });
}

// peers 1, as far as it goes without reaping: a killed subscriber does not block its publishers.
TEST(Block, killing_the_owner_of_a_full_inbox_ends_the_wait_of_its_publishers) {
    const BusName name;
    Bus bus(name, blocking());
    Channel<int> subscribed;
    Process owner([&] {
        Bus own(name, blocking());
        own.subscribe("*");
        subscribed.send(1);
        ::pause();
    });
    ASSERT_TRUE(subscribed.receive());
    expect_wait_to_end(bus, name, [&] { owner.kill(); });
}

TEST(Block, room_lets_every_waiting_publisher_go_on) {
    const BusName name;
    Bus bus(name, blocking());
    bus.subscribe("*");
    fill(bus);
    Shared<std::atomic<int>> waiting, delivered;
    std::vector<std::unique_ptr<Process>> publishers;
    for (int p = 0; p < 4; ++p) {
        publishers.push_back(std::make_unique<Process>([&] {
            Bus other(name, blocking());
            ++*waiting;
            require(publish(other).delivered == 1, "delivered");
            ++*delivered;
        }));
    }
    ASSERT_TRUE(eventually([&] { return *waiting == 4; }));
    EXPECT_EQ(*delivered, 0);
    ASSERT_EQ(bus.next_batch(4, 0ns).size(), 4u);
    bus.release();
    EXPECT_TRUE(eventually([&] { return *delivered == 4; }));
    for (auto& publisher : publishers) EXPECT_TRUE(publisher->ended_well());
}

// More inboxes than share one fence; the full ones come first in the table.
TEST(Block, a_full_inbox_delays_no_other_subscribers_event) {
    const BusName name;
    Bus bus(name, blocking());
    bus.subscribe("*");
    Bus second_full = bus.separate(blocking());
    second_full.subscribe("*");
    fill(bus);
    std::vector<Bus> others;
    for (int i = 0; i < 20; ++i) {
        Options options = blocking();
        options.overflow = static_cast<Overflow>(i % 3);
        others.push_back(bus.separate(options));
        others.back().subscribe("*");
    }
    Shared<std::atomic<int>> returned;
    Process publisher([&] {
        Bus other(name, blocking());
        require(publish(other).delivered == 22, "everybody has it in the end");
        *returned = 1;
    });
    for (Bus& other : others) {
        const auto event = other.next(kPatience);
        ASSERT_TRUE(event && *event);
    }
    EXPECT_EQ(*returned, 0) << "the publisher still waits while all others have the event";
    while (bus.next(0ns)) {}
    while (second_full.next(0ns)) {}
    EXPECT_TRUE(publisher.ended_well());
}

TEST(Block, a_full_inbox_is_not_waited_for_again_until_its_head_moves) {
    constexpr int kMore = 2'000;
    const BusName name;
    Bus bus(name, blocking());
    bus.subscribe("*");
    fill(bus);
    Shared<std::atomic<int>> room;
    Channel<int> dropped;
    Process publisher([&] {
        Bus other(name, blocking(100ms));
        // Were each waited for, this would take minutes.
        for (int n = 0; n < kMore; ++n) require(publish(other).dropped == 1, "dropped");
        dropped.send(1);
        require(eventually([&] { return *room == 1; }), "no room was made");
        require(publish(other).delivered == 1, "room is seen");
        const auto start = std::chrono::steady_clock::now();
        require(publish(other).dropped == 1, "full again");
        require(std::chrono::steady_clock::now() - start >= 100ms, "head has moved since: it is waited for again");
    });
    ASSERT_TRUE(dropped.receive());
    ASSERT_TRUE(bus.next(0ns));
    bus.release();
    *room = 1;
    EXPECT_TRUE(publisher.ended_well());
    EXPECT_EQ(bus.lost(LossCause::timeout), static_cast<std::uint64_t>(kMore) + 1);
}

}  // namespace
}  // namespace swarmbus::test
