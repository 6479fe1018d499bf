// Handlers: what may be called from within them, and when they are really over.
#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>
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

TEST(Handler, unsubscribes_itself_and_is_never_called_again) {
    const BusName name;
    Bus bus(name);
    int handled = 0;
    SubscriptionId id = 0;
    id = bus.subscribe("*", [&](const Event&) {
        ++handled;
        bus.unsubscribe(id);
    });
    bus.subscribe("*", [](const Event&) {});
    for (int n = 0; n < 3; ++n) bus.publish("a.b", "");  // all in one batch
    EXPECT_EQ(bus.run_once(0ns), 3u);
    EXPECT_EQ(handled, 1);
    bus.publish("a.b", "");
    EXPECT_EQ(bus.run_once(0ns), 1u);
    EXPECT_EQ(handled, 1);
}

TEST(Handler, unsubscribes_another_that_is_not_called_for_the_same_event_any_more) {
    const BusName name;
    Bus bus(name);
    int second_handled = 0;
    SubscriptionId second = 0;
    bus.subscribe("*", [&](const Event&) { bus.unsubscribe(second); });
    second = bus.subscribe("*", [&](const Event&) { ++second_handled; });
    bus.publish("a.b", "");
    bus.run_once(0ns);
    EXPECT_EQ(second_handled, 0);
}

TEST(Handler, that_runs_in_another_thread_has_returned_when_unsubscribe_does) {
    const BusName name;
    for (int round = 0; round < rounds(300, 50); ++round) {
        Bus bus(name);
        std::atomic<bool> running{false}, returned{false}, ended{false};
        const SubscriptionId id = bus.subscribe("*", [&](const Event&) {
            EXPECT_FALSE(ended) << "called after unsubscribe returned";
            running = true;
            std::this_thread::sleep_for(1ms);  // time for unsubscribe to be called, and to be wrong
            returned = true;
        });
        std::thread receiving([&] { bus.run(); });
        bus.publish("a.b", "");
        ASSERT_TRUE(eventually([&] { return running.load(); }));
        bus.unsubscribe(id);
        EXPECT_TRUE(returned) << "the handler still ran when unsubscribe returned";
        ended = true;
        bus.publish("a.b", "");
        bus.stop();
        receiving.join();
    }
}

TEST(Handler, subscribes_and_gets_what_is_published_from_then_on) {
    const BusName name;
    Bus bus(name);
    std::vector<std::string> handled;
    bus.subscribe("first.*", [&](const Event&) {
        bus.subscribe("second.*", [&](const Event& event) { handled.emplace_back(event.type()); });
        bus.publish("second.event", "");
    });
    bus.publish("second.early", "");
    bus.publish("first.event", "");
    EXPECT_EQ(bus.run_once(0ns), 1u);
    EXPECT_EQ(bus.run_once(0ns), 1u);
    EXPECT_EQ(handled, std::vector<std::string>{"second.event"});
}

TEST(Handler, can_not_receive_from_the_handle_that_called_it) {
    const BusName name;
    Bus bus(name);
    std::vector<swb_result> results;
    bus.subscribe("*", [&](const Event&) {
        swb_event event{};
        event.size = sizeof event;
        std::size_t count = 0;
        results = {swb_next(bus.raw(), 0, &event), swb_next_batch(bus.raw(), 0, &event, 1, &count), swb_release(bus.raw()),
                   swb_run_once(bus.raw(), 0, nullptr), swb_run(bus.raw())};
    });
    bus.publish("a.b", "");
    bus.run_once(0ns);
    EXPECT_EQ(results, std::vector<swb_result>(5, SWB_ERR_REENTRANT));
}

TEST(Handler, may_receive_from_a_separate_handle) {
    const BusName name;
    Bus bus(name);
    Bus separate = bus.separate({});
    separate.subscribe("*");
    std::string seen;
    bus.subscribe("*", [&](const Event&) { seen = separate.next(0ns).value().text(); });
    bus.publish("a.b", "both have it");
    bus.run_once(0ns);
    EXPECT_EQ(seen, "both have it");
}

TEST(Handler, stops_run_and_the_events_behind_stay_for_the_next_call) {
    const BusName name;
    Bus bus(name);
    int handled = 0;
    bus.subscribe("*", [&](const Event&) {
        ++handled;
        bus.stop();
    });
    for (const char* text : {"1", "2", "3", "4"}) bus.publish("a.b", text);
    bus.run();
    EXPECT_EQ(handled, 1);
    EXPECT_EQ(bus.run_once(0ns), 1u);
    EXPECT_EQ(bus.next(0ns).value().text(), "3");
    bus.release();
    EXPECT_EQ(bus.next_batch(10, 0ns).size(), 1u);
    EXPECT_FALSE(bus.next(0ns));
    bus.publish("a.b", "5");
    EXPECT_EQ(bus.next(0ns).value().text(), "5");
}

TEST(Handler, that_throws_ends_the_receiving_call_there) {
    const BusName name;
    Bus bus(name);
    int handled = 0;
    bus.subscribe("*", [&](const Event&) {
        if (++handled == 1) throw std::logic_error("by the handler");
    });
    for (int n = 0; n < 3; ++n) bus.publish("a.b", "");
    EXPECT_THROW(bus.run_once(0ns), std::logic_error);
    EXPECT_EQ(handled, 1);
    EXPECT_EQ(bus.run_once(0ns), 2u) << "the events behind it are not lost";
    EXPECT_EQ(handled, 3);
}

TEST(Handler, that_throws_uses_up_no_stop) {
    const BusName name;
    Bus bus(name);
    bus.subscribe("*", [&](const Event&) {
        bus.stop();
        throw std::logic_error("by the handler");
    });
    bus.publish("a.b", "");
    EXPECT_THROW(bus.run(), std::logic_error);
    bus.run();  // returns
    bus.publish("a.b", "");
    EXPECT_THROW(bus.run_once(0ns), std::logic_error) << "no stop is left over";
}

TEST(Handler, is_not_cancelled_half_way) {
    const BusName name;
    Bus bus(name);
    std::atomic<bool> running{false}, may_end{false}, ended{false};
    bus.subscribe("*", [&](const Event&) {
        running = true;
        while (!may_end) std::this_thread::sleep_for(1ms);
        ended = true;
    });
    bus.publish("a.b", "");
    std::thread receiving([&] {
        bus.run_once(0ns);
        ::pause();
    });
    ASSERT_TRUE(eventually([&] { return running.load(); }));
    ::pthread_cancel(receiving.native_handle());
    may_end = true;
    receiving.join();
    EXPECT_TRUE(ended);
    bus.publish("a.b", "");
    EXPECT_EQ(bus.run_once(0ns), 1u) << "the turn was given back";
}

TEST(Receivers, a_stop_from_another_thread_ends_run_and_is_used_up_by_it) {
    const BusName name;
    Bus bus(name);
    bus.subscribe("*", [](const Event&) {});
    for (int round = 0; round < 100; ++round) {
        std::thread receiving([&] { bus.run(); });
        bus.stop();
        receiving.join();
    }
    EXPECT_FALSE(bus.next(0ns));
    bus.publish("a.b", "");
    EXPECT_TRUE(bus.next(0ns)) << "no stop is left over";
}

TEST(Receivers, four_threads_on_one_handle_get_each_event_exactly_once) {
    const auto sent = static_cast<std::uint64_t>(rounds(20'000, 2'000));
    const BusName name;
    Options options;
    options.overflow = Overflow::block;
    options.block_timeout = kPatience;
    Bus bus(name, options);
    bus.subscribe("load.*");
    std::vector<std::atomic<int>> received(sent + 1);
    std::atomic<std::uint64_t> total{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            // The view of an event is the thread's own only with a handler: others take turns.
            while (total < sent) bus.run_once(1ms);
        });
    }
    bus.subscribe("load.tick", [&](const Event& event) {
        ++received[NumberedPayload::read(event.payload()).value().number];
        ++total;
    });
    Process publisher([&] {
        Bus other(name, options);
        for (std::uint64_t n = 1; n <= sent; ++n) other.publish("load.tick", NumberedPayload({0, n}).bytes());
    });
    EXPECT_TRUE(publisher.ended_well());
    for (std::thread& thread : threads) thread.join();
    for (std::uint64_t n = 1; n <= sent; ++n) ASSERT_EQ(received[n], 1) << n;
}

}  // namespace
}  // namespace swarmbus::test
