// Subscribed means subscribed: from the moment subscribe() returns nothing that matches is missed.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"
#include "tests/support/process_numbered.hpp"
#include "tests/support/process_shared.hpp"

namespace swarmbus::test {
namespace {

// A process that publishes round n's event the moment it is asked to.
class Starter {
public:
    explicit Starter(const BusName& name)
        : process_([this, &name] {
              Bus bus(name);
              for (std::uint64_t n = 1;; ++n) {
                  for (int look = 0; asked_->load() != n; ++look) {
                      if (look > 1'000) std::this_thread::yield();
                  }
                  bus.publish(type_of(n).c_str(), NumberedPayload({0, n}).bytes());
              }
          }) {}
    void publish(std::uint64_t n) { asked_->store(n); }

    // Every fourth round a type that nobody has published before.
    static std::string type_of(std::uint64_t n) { return "round." + (n % 4 == 0 ? "fresh" + std::to_string(n / 4) : "old"); }

private:
    Shared<std::atomic<std::uint64_t>> asked_;
    Process process_;
};

// peers 9
TEST(Subscribing, an_event_published_right_after_subscribe_is_never_missed) {
    const auto kRounds = static_cast<std::uint64_t>(rounds(10'000, 1'000));
    const BusName name;
    Bus bus(name);
    Starter starter(name);
    for (std::uint64_t n = 1; n <= kRounds; ++n) {
        const SubscriptionId id = bus.subscribe("round.*");
        starter.publish(n);
        const auto event = bus.next(kPatience);
        ASSERT_TRUE(event && *event) << "round " << n;
        ASSERT_EQ(NumberedPayload::read(event->payload()).value().number, n);
        ASSERT_EQ(event->lost(), 0u);
        bus.unsubscribe(id);
    }
}

// peers 9, with an inbox that is new each time
TEST(Subscribing, an_event_published_right_after_subscribe_is_never_missed_by_a_new_inbox) {
    const auto kRounds = static_cast<std::uint64_t>(rounds(10'000, 1'000));
    const BusName name;
    Options options;
    options.capacity_slots = 16;
    Bus bus(name, options);
    Starter starter(name);
    for (std::uint64_t n = 1; n <= kRounds; ++n) {
        Bus fresh = bus.separate(options);
        fresh.subscribe("round.*");
        starter.publish(n);
        const auto event = fresh.next(kPatience);
        ASSERT_TRUE(event && *event) << "round " << n;
        ASSERT_EQ(NumberedPayload::read(event->payload()).value().number, n);
    }
}

// A subscription that stays gets every event while others of the same inbox come and go.
TEST(Subscribing, changing_other_subscriptions_of_an_inbox_loses_nothing) {
    const auto sent = static_cast<std::uint64_t>(rounds(20'000, 2'000));
    const BusName name;
    Options options;
    options.overflow = Overflow::block;
    options.block_timeout = kPatience;
    Bus bus(name, options);
    bus.subscribe("kept.*");
    Process publisher([&] {
        Bus other(name, options);
        for (std::uint64_t n = 1; n <= sent; ++n) other.publish("kept.event", NumberedPayload({0, n}).bytes());
    });
    Tally tally;
    while (tally.received() < sent) {
        const SubscriptionId id = bus.subscribe("kept.event other.*");
        for (const Event& event : bus.next_batch(64, kPatience)) tally.take(event);
        bus.unsubscribe(id);
        for (const Event& event : bus.next_batch(64, 0ns)) tally.take(event);
    }
    EXPECT_EQ(tally.received(), sent);
    EXPECT_EQ(tally.told(), 0u);
    EXPECT_EQ(tally.fault(), "");
    EXPECT_TRUE(publisher.ended_well());
}

TEST(Subscribing, after_unsubscribe_nothing_of_it_is_received) {
    const BusName name;
    Bus bus(name);
    bus.subscribe("kept.*");
    const SubscriptionId id = bus.subscribe("ended.*");
    Process publisher([&] {
        Bus other(name);
        other.publish("ended.event", "in flight when it ends");
        other.publish("kept.event", "");
    });
    ASSERT_TRUE(publisher.ended_well());
    bus.unsubscribe(id);
    EXPECT_EQ(bus.next(0ns).value().type(), "kept.event");
    EXPECT_FALSE(bus.next(0ns));
}

// peers 2: the places of the dead stay taken until somebody reaps them, so the bus has enough.
TEST(Subscribing, a_subscriber_that_is_killed_and_started_again_gets_events_each_time) {
    const int kRuns = rounds(200, 30);
    const BusName name;
    Options options;
    options.capacity_slots = 16;
    options.max_subscribers = 256;
    options.max_participants = 256;
    const Bus keeps_it(name, options);
    options.max_subscribers = options.max_participants = 0;
    Process publisher([&] {
        Bus bus(name, options);
        for (std::uint64_t n = 1;; ++n) {
            bus.publish("load.tick", NumberedPayload({0, n}).bytes());
            std::this_thread::sleep_for(20us);
        }
    });
    for (int run = 0; run < kRuns; ++run) {
        Channel<int> received;
        Process subscriber([&] {
            Bus bus(name, options);
            bus.subscribe("load.*");
            Tally tally;
            for (bool told = false;;) {
                const auto event = bus.next(kPatience);
                require(event.has_value(), "no event came");
                tally.take(*event);
                require(tally.fault().empty(), tally.fault());
                if (tally.received() >= 3 && !told) {
                    received.send(1);
                    told = true;
                }
            }
        });
        ASSERT_TRUE(received.receive()) << "run " << run;
        subscriber.kill();
    }
    EXPECT_FALSE(publisher.wait(0ns)) << "the publisher still runs";
}

}  // namespace
}  // namespace swarmbus::test
