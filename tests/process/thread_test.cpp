// Publishing threads come and go: each is a writer while it lives, and its id comes back.
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <barrier>
#include <map>
#include <set>
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

Options lossless() {
    Options options;
    options.overflow = Overflow::block;
    options.block_timeout = kPatience;
    return options;
}

std::uint64_t drain(Bus& bus, Tally& tally) {
    const std::uint64_t before = tally.received();
    while (const auto event = bus.next(0ns)) tally.take(*event);
    return tally.received() - before;
}

// ipc-38
TEST(Threads, twenty_thousand_short_ones_in_a_row_each_publish_once_and_give_their_writer_back) {
    const auto count = static_cast<std::uint64_t>(rounds(20'000, 2'000));
    const BusName name;
    Bus bus(name, lossless());
    bus.subscribe("load.*");
    Tally tally;
    for (std::uint64_t n = 1; n <= count; ++n) {
        std::thread([&] { bus.publish("load.tick", NumberedPayload({0, n}).bytes()); }).join();
        if (n % 500 == 0) drain(bus, tally);
    }
    drain(bus, tally);
    EXPECT_EQ(tally.received(), count);
    EXPECT_EQ(tally.fault(), "");
    EXPECT_EQ(name.look().writers, 0u);
}

// ipc-38
TEST(Threads, five_hundred_at_once_are_writers_of_their_own_and_give_their_ids_back) {
    const int count = rounds(500, 100);
    const BusName name;
    Bus bus(name, lossless());
    bus.subscribe("load.*");
    std::barrier published(count + 1), may_end(count + 1);
    std::vector<std::thread> threads;
    for (int t = 0; t < count; ++t) {
        threads.emplace_back([&, t] {
            bus.publish("load.tick", NumberedPayload({static_cast<std::uint32_t>(t), 1}).bytes());
            published.arrive_and_wait();
            may_end.arrive_and_wait();
        });
    }
    published.arrive_and_wait();
    EXPECT_EQ(name.look().writers, static_cast<std::uint32_t>(count));
    std::set<std::uint32_t> writers;
    while (const auto event = bus.next(0ns)) writers.insert(event->writer());
    EXPECT_EQ(writers.size(), static_cast<std::size_t>(count));
    may_end.arrive_and_wait();
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(name.look().writers, 0u);
}

TEST(Threads, a_thread_with_two_handles_is_a_writer_of_each_and_keeps_its_order_in_both) {
    constexpr std::uint64_t kEvents = 1'000;
    const BusName name, other_name;
    Bus first(name, lossless()), second(name, lossless()), elsewhere(other_name, lossless());
    Bus reader(name, lossless()), other_reader(other_name, lossless());
    reader.subscribe("*");
    other_reader.subscribe("*");
    Tally tally, other_tally;
    std::map<std::uint32_t, std::uint64_t> sequences;
    std::thread publishing([&] {
        for (std::uint64_t n = 1; n <= kEvents; ++n) {
            first.publish("from.first", NumberedPayload({1, n}).bytes());
            elsewhere.publish("from.elsewhere", NumberedPayload({3, n}).bytes());
            second.publish("from.second", NumberedPayload({2, n}).bytes());
        }
    });
    while (tally.received() < 2 * kEvents || other_tally.received() < kEvents) {
        const auto event = (tally.received() < 2 * kEvents ? reader : other_reader).next(1ms);
        if (!event) {
            drain(other_reader, other_tally);
            continue;
        }
        (tally.received() < 2 * kEvents ? tally : other_tally).take(*event);
        if (event->type() != "from.elsewhere") {
            EXPECT_EQ(event->sequence(), ++sequences[event->writer()]);
        }
    }
    publishing.join();
    EXPECT_EQ(tally.fault() + other_tally.fault(), "");
    EXPECT_EQ(sequences.size(), 2u);
    EXPECT_EQ(name.look().writers, 0u);
    EXPECT_EQ(other_name.look().writers, 0u);
}

Bus* published_from_destructors = nullptr;

struct PublishesAtTheEnd {
    ~PublishesAtTheEnd() { published_from_destructors->publish("thread.local", "late"); }
    void touch() {}
};

// ipc-38: late publishes, before and after the library's own thread-specific data is gone.
TEST(Threads, a_thread_publishes_from_the_destructors_of_its_own_data) {
    const BusName name;
    Bus bus(name, lossless());
    published_from_destructors = &bus;
    bus.subscribe("*");
    pthread_key_t key;
    ASSERT_EQ(::pthread_key_create(&key, [](void*) { published_from_destructors->publish("thread.key", "later"); }), 0);
    constexpr int kThreads = 50;
    for (int t = 0; t < kThreads; ++t) {
        std::thread([&] {
            thread_local PublishesAtTheEnd at_the_end;
            at_the_end.touch();
            ::pthread_setspecific(key, &key);
            if (t % 2 == 0) bus.publish("thread.body", "early");
        }).join();
    }
    ::pthread_key_delete(key);
    std::map<std::string, int> received;
    while (const auto event = bus.next(0ns)) ++received[std::string(event->type())];
    EXPECT_EQ(received["thread.body"], kThreads / 2);
    EXPECT_EQ(received["thread.local"], kThreads);
    EXPECT_EQ(received["thread.key"], kThreads);
    EXPECT_EQ(name.look().writers, 0u);
}

// ipc-38
TEST(Threads, a_cancelled_publishing_thread_leaves_nothing_behind) {
    const BusName name;
    Bus bus(name, lossless());
    bus.subscribe("load.*");
    struct Shared {
        Bus* bus;
        std::atomic<std::uint64_t> published{0};
    };
    std::uint64_t published = 0;
    for (int round = 0; round < rounds(300, 50); ++round) {
        Shared shared{&bus};
        pthread_t thread;
        ASSERT_EQ(::pthread_create(
                      &thread, nullptr,
                      [](void* argument) -> void* {
                          auto& mine = *static_cast<Shared*>(argument);
                          for (;;) {
                              const swb_result result = swb_publish(mine.bus->raw(), "load.tick", nullptr, 0);
                              if (result == SWB_OK) ++mine.published;
                              ::pthread_testcancel();
                          }
                      },
                      &shared),
                  0);
        ASSERT_TRUE(eventually([&] { return shared.published > 0; }));
        ::pthread_cancel(thread);
        std::uint64_t received = 0;
        ASSERT_TRUE(eventually([&] {
            while (bus.next(0ns)) ++received;
            return ::pthread_tryjoin_np(thread, nullptr) == 0;
        }));
        while (bus.next(0ns)) ++received;
        ASSERT_EQ(received, shared.published);
        published += received;
        ASSERT_EQ(name.look().writers, 0u);
    }
    EXPECT_GT(published, 0u);
}

// A thread with a cancellation that is due goes through every call that asks the system for
// something; it ends where it chooses to, not in the middle of the library.
TEST(Threads, a_cancellation_that_is_due_waits_until_a_call_has_returned) {
    const BusName name;
    Process child([&] {
        struct Shared {
            const BusName& name;
            std::atomic<int> calls{0};
        } shared{name};
        pthread_t thread;
        const int made = ::pthread_create(
            &thread, nullptr,
            [](void* argument) -> void* {
                auto& mine = *static_cast<Shared*>(argument);
                ::pthread_cancel(::pthread_self());
                swb_bus* bus = nullptr;
                swb_info info{};
                info.size = sizeof info;
                const auto count = [&](swb_result result) { mine.calls += result == SWB_OK ? 1 : 0; };
                count(swb_open(mine.name.c_str(), nullptr, &bus));
                count(swb_subscribe(bus, "*", nullptr, nullptr, nullptr));
                count(swb_publish(bus, "a.b", nullptr, 0));
                count(swb_look(mine.name.c_str(), &info));
                count(swb_list([](const char*, void*) {}, nullptr));
                swb_event event{};
                event.size = sizeof event;
                count(swb_next(bus, 0, &event));
                swb_close(bus);
                ::pthread_testcancel();
                mine.calls = -1;
                return nullptr;
            },
            &shared);
        require(made == 0, "pthread_create");
        void* result = nullptr;
        ::pthread_join(thread, &result);
        require(result == PTHREAD_CANCELED, "the thread is cancelled");
        require(shared.calls == 6, "after " + std::to_string(shared.calls) + " of 6 calls");
    });
    EXPECT_TRUE(child.ended_well());
}

TEST(Threads, the_pool_of_writers_empty_is_a_clear_error_and_an_ended_thread_makes_room) {
    const BusName name;
    std::vector<Bus> handles;
    const Bus bus(name);
    swb_result result = SWB_OK;
    // One thread with many handles takes as many ids as threads would.
    while (handles.size() < 4'096) {
        handles.push_back(bus.separate({}));
        result = swb_publish(handles.back().raw(), "a.b", nullptr, 0);
        if (result != SWB_OK) break;
    }
    EXPECT_EQ(result, SWB_ERR_WRITERS_FULL);
    EXPECT_NE(std::string(swb_last_error()).find("4095"), std::string::npos) << swb_last_error();
    EXPECT_EQ(handles.size(), 4'096u);
    EXPECT_EQ(name.look().writers, 4'095u);
    handles.erase(handles.begin());
    EXPECT_EQ(swb_publish(handles.back().raw(), "a.b", nullptr, 0), SWB_OK);
    handles.clear();
    EXPECT_EQ(name.look().writers, 0u);
}

}  // namespace
}  // namespace swarmbus::test
