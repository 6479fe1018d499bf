// Closing handles: while others use them, in any order, and from within what they call.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"
#include "tests/support/process_shared.hpp"

namespace swarmbus::test {
namespace {

swb_bus* open(const BusName& name, const Options& options = {}) {
    const swb_options raw = options.raw();
    swb_bus* bus = nullptr;
    detail::check(swb_open(name.c_str(), &raw, &bus));
    return bus;
}

swb_result next(swb_bus* bus, std::int64_t timeout_ns = SWB_FOREVER) {
    swb_event event{};
    event.size = sizeof event;
    return swb_next(bus, timeout_ns, &event);
}

bool thread_sleeps(pid_t thread) {
    std::ifstream stat("/proc/self/task/" + std::to_string(thread) + "/stat");
    std::string text;
    std::getline(stat, text);
    const std::size_t name_ends = text.rfind(')');
    return name_ends != std::string::npos && text.substr(name_ends + 2, 1) == "S";
}

// Threads that wait in `call` when the handle is closed; all must come back with "closed".
void expect_waiters_to_be_told(const BusName& name, int waiters, const Options& options, swb_result (*call)(swb_bus*)) {
    swb_bus* bus = open(name, options);
    detail::check(swb_subscribe(
        bus, "*", [](const swb_event*, void*) {}, nullptr, nullptr));
    std::atomic<int> waiting{0}, told{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < waiters; ++t) {
        threads.emplace_back([&] {
            ++waiting;
            if (call(bus) == SWB_ERR_CLOSED) ++told;
        });
    }
    EXPECT_TRUE(eventually([&] { return waiting == waiters; }));
    std::this_thread::sleep_for(5ms);  // well into the wait; any moment before would do as well
    swb_close(bus);
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(told, waiters);
    EXPECT_EQ(name.look().subscribers, 0u);
    EXPECT_EQ(name.look().participants, 0u);
}

TEST(Closing, a_thread_that_sleeps_in_next_is_told) {
    const BusName name;
    expect_waiters_to_be_told(name, 1, {}, [](swb_bus* bus) { return next(bus); });
}

TEST(Closing, a_thread_that_never_sleeps_in_next_is_told) {
    const BusName name;
    Options options;
    options.spin = std::chrono::nanoseconds::max();
    expect_waiters_to_be_told(name, 1, options, [](swb_bus* bus) { return next(bus); });
}

TEST(Closing, a_thread_in_run_is_told) {
    const BusName name;
    expect_waiters_to_be_told(name, 1, {}, [](swb_bus* bus) { return swb_run(bus); });
}

TEST(Closing, every_thread_that_waits_for_its_turn_to_receive_is_told) {
    const BusName name;
    Process waits([&] { expect_waiters_to_be_told(name, 4, {}, [](swb_bus* bus) { return next(bus); }); });
    EXPECT_TRUE(waits.ended_well());
}

TEST(Closing, a_publisher_that_outlives_its_bus_says_closed) {
    const BusName name;
    swb_bus* bus = open(name);
    swb_publisher* publisher = nullptr;
    detail::check(swb_publisher_open(bus, "a.b", &publisher));
    EXPECT_EQ(swb_publisher_publish(publisher, "x", 1), SWB_OK);
    swb_close(bus);
    EXPECT_EQ(swb_publisher_publish(publisher, "x", 1), SWB_ERR_CLOSED);
    EXPECT_EQ(name.look().writers, 0u);
    EXPECT_EQ(name.look().participants, 0u) << "the process leaves with its last handle";
    swb_publisher_close(publisher);
}

TEST(Closing, handles_close_in_any_order) {
    for (int order = 0; order < 6; ++order) {
        const BusName name;
        swb_bus* bus = open(name);
        swb_bus* separate = nullptr;
        swb_publisher* publisher = nullptr;
        detail::check(swb_separate(bus, nullptr, &separate));
        detail::check(swb_subscribe(bus, "*", nullptr, nullptr, nullptr));
        detail::check(swb_subscribe(separate, "*", nullptr, nullptr, nullptr));
        detail::check(swb_publisher_open(separate, "a.b", &publisher));
        EXPECT_EQ(swb_publisher_publish(publisher, "x", 1), SWB_OK);
        EXPECT_EQ(next(bus, 0), SWB_OK);  // a view is out
        const auto close = [&](int which) {
            if (which == 0) swb_close(bus);
            if (which == 1) swb_close(separate);
            if (which == 2) swb_publisher_close(publisher);
        };
        constexpr int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
        for (const int which : orders[order]) close(which);
        const swb_info info = name.look();
        EXPECT_EQ(info.participants + info.subscribers + info.writers, 0u) << order;
    }
}

// The publisher may be used while the bus is being closed; whatever it says, it is harmless.
TEST(Closing, a_thread_that_publishes_meanwhile_is_told_and_touches_nothing_that_is_gone) {
    const BusName name;
    Bus reader(name);
    reader.subscribe("*");
    for (int round = 0; round < rounds(1'000, 300); ++round) {
        swb_bus* bus = open(name);
        swb_publisher* publisher = nullptr;
        detail::check(swb_publisher_open(bus, "a.b", &publisher));
        std::atomic<bool> published{false};
        swb_result last = SWB_OK;
        std::thread publishing([&] {
            while (last >= SWB_OK) {
                last = swb_publisher_publish(publisher, "x", 1);
                published = true;
            }
        });
        while (!published) std::this_thread::yield();
        swb_close(bus);
        publishing.join();
        EXPECT_EQ(last, SWB_ERR_CLOSED);
        swb_publisher_close(publisher);
        ASSERT_EQ(name.look().writers, 0u) << "round " << round;
    }
}

// One that waits for room ends its publish first; the bus is closed behind it.
TEST(Closing, waits_for_a_publish_of_another_thread_that_waits_for_room) {
    const BusName name;
    Options options;
    options.capacity_slots = 16;
    options.overflow = Overflow::block;
    options.block_timeout = 100ms;
    Bus reader(name, options);
    reader.subscribe("*");
    swb_bus* bus = open(name, options);
    swb_publisher* publisher = nullptr;
    detail::check(swb_publisher_open(bus, "a.b", &publisher));
    for (int n = 0; n < 16; ++n) EXPECT_EQ(swb_publisher_publish(publisher, "x", 1), SWB_OK);
    std::atomic<bool> begins{false};
    swb_result result = SWB_OK;
    std::thread publishing([&] {
        begins = true;
        result = swb_publisher_publish(publisher, "x", 1);
    });
    ASSERT_TRUE(eventually([&] { return begins.load(); }));
    swb_close(bus);
    publishing.join();
    EXPECT_TRUE(result == SWB_DROPPED || result == SWB_ERR_CLOSED) << swb_result_name(result);
    swb_publisher_close(publisher);
    EXPECT_EQ(name.look().writers, 0u);
}

struct Closes {
    swb_bus* bus;
    int handled = 0;
};

void close_from_handler(const swb_event* event, void* user) {
    auto& closes = *static_cast<Closes*>(user);
    ++closes.handled;
    swb_close(closes.bus);
    EXPECT_STREQ(event->type, "a.b") << "the event is valid until the handler returns";
}

TEST(Closing, a_handler_closes_the_handle_that_run_once_called_it_from) {
    const BusName name;
    Closes closes{open(name)};
    detail::check(swb_subscribe(closes.bus, "*", close_from_handler, &closes, nullptr));
    for (int n = 0; n < 3; ++n) detail::check(swb_publish(closes.bus, "a.b", nullptr, 0));
    std::size_t handled = 0;
    EXPECT_EQ(swb_run_once(closes.bus, 0, &handled), SWB_OK);
    EXPECT_EQ(closes.handled, 1) << "nothing is handled after the close";
    EXPECT_EQ(name.look().subscribers, 0u);
    EXPECT_EQ(name.look().participants, 0u);
}

TEST(Closing, a_handler_closes_the_handle_that_run_called_it_from) {
    const BusName name;
    Closes closes{open(name)};
    detail::check(swb_subscribe(closes.bus, "*", close_from_handler, &closes, nullptr));
    for (int n = 0; n < 3; ++n) detail::check(swb_publish(closes.bus, "a.b", nullptr, 0));
    EXPECT_EQ(swb_run(closes.bus), SWB_ERR_CLOSED);
    EXPECT_EQ(closes.handled, 1);
    EXPECT_EQ(name.look().participants, 0u);
}

// The threads that wait for their turn behind a handler that closes the handle.
TEST(Closing, a_handler_closes_the_handle_while_others_wait_for_their_turn) {
    if (kThreadSanitizer) GTEST_SKIP() << "that the others are in their calls is seen in /proc, not by ThreadSanitizer";
    for (int round = 0; round < rounds(50, 10); ++round) {
        const BusName name;
        struct Scene {
            swb_bus* bus;
            std::atomic<pid_t> others[3] = {};
        } scene{open(name)};
        detail::check(swb_subscribe(
            scene.bus, "*",
            [](const swb_event*, void* user) {
                auto& here = *static_cast<Scene*>(user);
                for (const auto& other : here.others) EXPECT_TRUE(eventually([&] { return other != 0 && thread_sleeps(other); }));
                swb_close(here.bus);
            },
            &scene, nullptr));
        detail::check(swb_publish(scene.bus, "a.b", nullptr, 0));
        std::atomic<bool> handling{false};
        std::atomic<int> told{0};
        std::thread runs([&] {
            handling = true;
            EXPECT_EQ(swb_run(scene.bus), SWB_ERR_CLOSED);
        });
        ASSERT_TRUE(eventually([&] { return handling.load(); }));
        std::vector<std::thread> others;
        for (int t = 0; t < 3; ++t) {
            others.emplace_back([&, t] {
                scene.others[t] = ::gettid();
                if (next(scene.bus) == SWB_ERR_CLOSED) ++told;
            });
        }
        runs.join();
        for (std::thread& other : others) other.join();
        EXPECT_EQ(told, 3);
        EXPECT_EQ(name.look().participants, 0u);
    }
}

TEST(Closing, a_bus_object_ends_within_its_own_handler) {
    const BusName name;
    std::optional<Bus> bus(name);
    int handled = 0;
    const auto guard = std::make_shared<int>(7);
    bus->subscribe("*", [&, guard](const Event& event) {
        bus.reset();
        ++handled;
        EXPECT_EQ(event.type(), "a.b");
        EXPECT_EQ(*guard, 7) << "what the handler owns lives while it runs";
    });
    bus->publish("a.b", "");
    try {
        bus->run_once(0ns);
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), SWB_ERR_CLOSED);
    }
    EXPECT_EQ(handled, 1);
    EXPECT_EQ(name.look().participants, 0u);
}

TEST(Closing, nothing_is_harmless) {
    swb_close(nullptr);
    swb_publisher_close(nullptr);
    swb_event_free(nullptr);
}

}  // namespace
}  // namespace swarmbus::test
