// Tables that are full: a clear error, or it simply works; and room again when somebody leaves.
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"
#include "tests/support/process_shared.hpp"

namespace swarmbus::test {
namespace {

// The error that `call` throws; fails the test when it throws none.
template <typename Call>
Error error_of(Call&& call) {
    try {
        call();
    } catch (const Error& e) {
        return e;
    }
    ADD_FAILURE() << "no error";
    return Error(SWB_OK, "");
}

bool mentions(const Error& error, const std::string& text) { return std::string(error.what()).find(text) != std::string::npos; }

TEST(Limits, all_places_for_processes_taken_is_a_clear_error_until_one_leaves) {
    const BusName name;
    Options options;
    options.max_participants = 2;
    const Bus bus(name, options);
    Channel<int> opened;
    Process second([&] {
        const Bus own(name);
        opened.send(1);
        ::pause();
    });
    ASSERT_TRUE(opened.receive());
    const auto third = [&] {
        Process process([&] {
            try {
                const Bus own(name);
            } catch (const Error& e) {
                require(e.code() == SWB_ERR_PARTICIPANTS_FULL && mentions(e, "all 2 places"), e.what());
                ::_exit(2);
            }
        });
        return process.wait();
    };
    EXPECT_EQ(third(), 2 << 8);
    EXPECT_EQ(name.look().participants, 2u);
}

TEST(Limits, a_process_that_leaves_makes_room_for_another) {
    const BusName name;
    Options options;
    options.max_participants = 1;
    { const Bus bus(name, options); }
    for (int round = 0; round < 3; ++round) {
        Process process([&] { const Bus own(name); });
        EXPECT_TRUE(process.ended_well());
    }
    const Bus bus(name);
    EXPECT_EQ(name.look().participants, 1u);
}

TEST(Limits, all_inboxes_taken_is_a_clear_error_until_one_closes) {
    const BusName name;
    Options options;
    options.max_subscribers = 3;
    Bus bus(name, options);
    std::vector<Bus> inboxes;
    for (int i = 0; i < 3; ++i) {
        inboxes.push_back(bus.separate({}));
        inboxes.back().subscribe("*");
    }
    const Error error = error_of([&] { bus.subscribe("*"); });
    EXPECT_EQ(error.code(), SWB_ERR_SUBSCRIBERS_FULL);
    EXPECT_TRUE(mentions(error, "all 3 inboxes")) << error.what();
    inboxes.erase(inboxes.begin());
    bus.subscribe("*");
    bus.publish("a.b", "");
    EXPECT_TRUE(bus.next(0ns));
    EXPECT_TRUE(inboxes.front().next(0ns));
}

TEST(Limits, types_beyond_the_table_travel_with_their_names_and_lose_nothing) {
    const BusName name;
    Options options;
    options.max_types = 2;
    Bus bus(name, options);
    bus.subscribe("kind.*");
    Bus narrow = bus.separate({});
    narrow.subscribe("kind.n7 kind.n1");
    Process publisher([&] {
        Bus other(name);
        for (int n = 0; n < 20; ++n) {
            const std::string type = "kind.n" + std::to_string(n);
            require(other.publish(type.c_str(), Message{}).delivered == (n == 7 || n == 1 ? 2u : 1u), type);
        }
        other.publish("unwanted.type", "");
    });
    ASSERT_TRUE(publisher.ended_well());
    EXPECT_EQ(name.look().types, 2u);
    for (int n = 0; n < 20; ++n) EXPECT_EQ(bus.next(0ns).value().type(), "kind.n" + std::to_string(n));
    EXPECT_FALSE(bus.next(0ns));
    EXPECT_EQ(narrow.next(0ns).value().type(), "kind.n1");
    EXPECT_EQ(narrow.next(0ns).value().type(), "kind.n7");
    EXPECT_FALSE(narrow.next(0ns));
}

// A publisher that knows a type by its name only sees who subscribes and unsubscribes meanwhile.
TEST(Limits, a_type_beyond_the_table_reaches_who_subscribes_later) {
    const BusName name;
    Options options;
    options.max_types = 1;
    Bus bus(name, options);
    Publisher first = bus.publisher("takes.the.place");
    Publisher beyond = bus.publisher("kind.beyond");
    EXPECT_EQ(beyond.publish(Message{}).delivered, 0u);
    for (int round = 0; round < 100; ++round) {
        const SubscriptionId id = bus.subscribe("kind.*");
        EXPECT_EQ(beyond.publish(Message{}).delivered, 1u) << round;
        ASSERT_EQ(bus.next(0ns).value().type(), "kind.beyond");
        bus.unsubscribe(id);
        EXPECT_EQ(beyond.publish(Message{}).delivered, 0u) << round;
    }
}

TEST(Limits, patterns_beyond_their_room_are_refused_and_those_before_stay) {
    const BusName name;
    Bus bus(name);
    bus.subscribe("kept.*");
    std::string many;
    for (int n = 0; n < 40; ++n) many += " " + std::string(60, 'x') + std::to_string(n);
    const Error error = error_of([&] { bus.subscribe(many); });
    EXPECT_EQ(error.code(), SWB_ERR_PATTERNS_FULL);
    bus.publish("kept.event", "");
    EXPECT_EQ(bus.next(0ns).value().type(), "kept.event");
    bus.subscribe("another.*");
    bus.publish("another.event", "");
    EXPECT_EQ(bus.next(0ns).value().type(), "another.event");
}

TEST(Limits, the_ring_region_full_is_a_clear_error_until_an_inbox_closes) {
    const BusName name;
    Options options;
    options.ring_bytes = 1 << 20;
    options.default_capacity = 1024;
    std::optional<Bus> bus(std::in_place, name, options);
    Bus second = bus->separate({}), third = bus->separate({}), fourth = bus->separate({});
    bus->subscribe("*");
    second.subscribe("*");
    third.subscribe("*");
    const Error error = error_of([&] { fourth.subscribe("*"); });
    EXPECT_EQ(error.code(), SWB_ERR_NO_SPACE);
    EXPECT_TRUE(mentions(error, "1 MiB") && mentions(error, "ring_bytes")) << error.what();
    bus.reset();
    fourth.subscribe("*");
    fourth.publish("a.b", "");
    EXPECT_TRUE(fourth.next(0ns));
}

}  // namespace
}  // namespace swarmbus::test
