// The option `reattach`: a bus that was removed is opened anew by whoever notices.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process_reaping.hpp"

namespace swarmbus::test {
namespace {

Options reattaching() {
    Options options;
    options.reattach = true;
    return options;
}

void remove_file(const BusName& name) { require(::unlink(name.path().c_str()) == 0, "there is a file to remove"); }

TEST(Reattach, a_publisher_goes_on_on_the_new_bus) {
    const BusName name;
    Bus publisher(name, reattaching());
    Publisher bound = publisher.publisher("life.bound");
    publisher.publish("life.first", "");
    remove_file(name);
    Bus reader(name);
    reader.subscribe("life.*");
    EXPECT_TRUE(eventually([&] {
        publisher.publish("life.again", "");
        return reader.next(0ns).has_value();
    })) << "it notices within a second";
    EXPECT_TRUE(bound.publish("")) << "and so do its bound publishers";
    bool found = false;
    while (const auto event = reader.next(0ns)) found = found || event->type() == "life.bound";
    EXPECT_TRUE(found);
}

TEST(Reattach, a_receiver_is_told_once_and_keeps_its_subscriptions) {
    const BusName name;
    Bus reader(name, reattaching());
    std::vector<std::string> handled;
    const SubscriptionId id = reader.subscribe("life.*", [&](const Event& event) { handled.emplace_back(event.type()); });
    reader.subscribe("other.*");
    remove_file(name);
    swb_event event{};
    event.size = sizeof event;
    EXPECT_EQ(swb_next(reader.raw(), std::chrono::nanoseconds(kPatience).count(), &event), SWB_REATTACHED);
    Bus publisher(name);
    publisher.publish("life.goes", "");
    publisher.publish("other.goes", "");
    EXPECT_EQ(reader.run_once(kPatience) + (handled.size() < 1 ? reader.run_once(kPatience) : 0), 2u);
    EXPECT_EQ(handled, std::vector<std::string>{"life.goes"});
    reader.unsubscribe(id);
    publisher.publish("life.ends", "");
    EXPECT_FALSE(reader.next(0ns).has_value()) << "its id is the same";
}

TEST(Reattach, wakes_who_waits_on_the_descriptor) {
    const BusName name;
    Bus reader(name, reattaching());
    reader.subscribe("life.*");
    EXPECT_FALSE(reader.next(0ns).has_value());
    pollfd descriptor{reader.descriptor(), POLLIN, 0};
    remove_file(name);
    EXPECT_TRUE(eventually([&] {
        EXPECT_EQ(::poll(&descriptor, 1, 10'000), 1) << "it is readable about once a second";
        EXPECT_FALSE(reader.next(0ns).has_value());
        return reader.reattached() == 1;
    }));
    EXPECT_EQ(reader.descriptor(), descriptor.fd);
    EXPECT_FALSE(reader.next(0ns).has_value());
    EXPECT_EQ(::poll(&descriptor, 1, 0), 0) << "nothing is there";
    Bus(name).publish("life.goes", "");
    EXPECT_EQ(::poll(&descriptor, 1, 10'000), 1);
    EXPECT_TRUE(reader.next(0ns).has_value());
}

// Whoever registered it once need not do it again: in epoll sets, closed descriptors are forgotten.
TEST(Reattach, keeps_its_descriptor_in_the_epoll_sets_it_is_in) {
    const BusName name;
    Bus reader(name, reattaching());
    reader.subscribe("life.*");
    const int set = ::epoll_create1(EPOLL_CLOEXEC);
    epoll_event event{};
    event.events = EPOLLIN;
    ASSERT_EQ(::epoll_ctl(set, EPOLL_CTL_ADD, reader.descriptor(), &event), 0);
    for (std::uint64_t times = 1; times <= 3; ++times) {
        remove_file(name);
        EXPECT_TRUE(eventually([&] {
            EXPECT_EQ(::epoll_wait(set, &event, 1, 10'000), 1);
            EXPECT_FALSE(reader.next(0ns).has_value());
            return reader.reattached() == times;
        }));
        while (reader.next(0ns)) {}
        Bus(name).publish("life.goes", "");
        EXPECT_EQ(::epoll_wait(set, &event, 1, 10'000), 1);
        EXPECT_TRUE(reader.next(0ns).has_value());
    }
    ::close(set);
}

TEST(Reattach, that_fails_says_so_and_is_tried_again) {
    const BusName name;
    const Bus creator(name);
    Options options = reattaching();
    options.open_mode = SWB_OPEN_ONLY;
    Bus reader(name, options);
    reader.subscribe("life.*");
    remove_file(name);
    try {
        reader.next(kPatience);
        ADD_FAILURE() << "there is no bus to open";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), SWB_ERR_GONE);
        EXPECT_NE(std::string(e.what()).find("there is no bus"), std::string::npos) << e.what();
    }
    const Bus another(name);
    EXPECT_FALSE(reader.next(kPatience).has_value());
    EXPECT_EQ(reader.reattached(), 1u);
}

// Publishes until there is a new bus.
void publish_until_reattached(const BusName& name, Bus& bus) {
    ASSERT_TRUE(eventually([&] {
        bus.publish("life.goes", "");
        return ::access(name.path().c_str(), F_OK) == 0;
    }));
}

TEST(Reattach, leaves_nothing_of_the_bus_that_was_removed) {
    const BusName name;
    Bus publisher(name, reattaching());
    Bus reader(name, reattaching());
    reader.subscribe("life.*");
    for (int round = 0; round < 3; ++round) {
        remove_file(name);
        ASSERT_NO_FATAL_FAILURE(publish_until_reattached(name, publisher));
        EXPECT_FALSE(reader.next(kPatience).has_value());
        EXPECT_EQ(name.doctors_findings(), "");
        EXPECT_EQ(name.look().participants, 1u);
    }
    EXPECT_EQ(reader.reattached(), 3u);
}

TEST(Reattach, makes_a_bus_like_the_one_that_was_removed) {
    const BusName name;
    Options limited;
    limited.permissions = 0660;
    limited.max_participants = 64;
    limited.slot_bytes = 512;
    std::optional<Bus> creator(std::in_place, name, limited);
    Bus publisher(name, reattaching());
    creator.reset();
    remove_file(name);
    ASSERT_NO_FATAL_FAILURE(publish_until_reattached(name, publisher));
    EXPECT_EQ(name.look().max_participants, 64u);
    EXPECT_EQ(name.look().slot_bytes, 512u);
    struct stat st {};
    ASSERT_EQ(::stat(name.path().c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777, 0660u);
    const Bus again(name, limited);
}

TEST(Reattach, works_for_who_created_the_bus_and_insisted_on_it) {
    const BusName name;
    Channel<int> ready, go_on;
    Process creator([&] {
        Options options = reattaching();
        options.open_mode = SWB_CREATE_ONLY;
        Bus bus(name, options);
        bus.subscribe("life.*");
        close_all_descriptors();
        ready.send(1);
        go_on.receive();
        require(bus.publish("life.goes", ""), "it publishes again");
        require(bus.publish("life.goes", ""), "and again");
        require(!bus.next(0ns).has_value() && bus.reattached() == 1, "it is told");
        require(bus.publish("life.goes", "") && bus.next(0ns).has_value(), "it receives again");
        ready.send(1);
        go_on.receive();
    });
    ASSERT_TRUE(ready.receive());
    ASSERT_TRUE(attach_and_leave(name)) << "it is taken for dead";
    go_on.send(1);
    ASSERT_TRUE(ready.receive());
    ASSERT_TRUE(attach_and_leave(name)) << "this time it is not";
    EXPECT_EQ(name.look().participants, 1u);
    EXPECT_EQ(name.doctors_findings(), "");
    go_on.send(1);
    EXPECT_TRUE(creator.ended_well());
}

TEST(Reattach, loses_no_stop) {
    const BusName name;
    Bus reader(name, reattaching());
    reader.subscribe("life.*");
    remove_file(name);
    swb_event event{};
    event.size = sizeof event;
    swb_result result = SWB_STOPPED;
    for (const auto deadline = std::chrono::steady_clock::now() + kPatience; result == SWB_STOPPED;) {
        ASSERT_LT(std::chrono::steady_clock::now(), deadline);
        EXPECT_EQ(swb_stop(reader.raw()), SWB_OK);
        result = swb_next(reader.raw(), SWB_FOREVER, &event);
        reader.publish("other.event", "");  // it looks after its place
    }
    EXPECT_EQ(result, SWB_REATTACHED);
    EXPECT_EQ(swb_next(reader.raw(), SWB_FOREVER, &event), SWB_STOPPED) << "of the stop before";
}

TEST(Reattach, unsubscribing_waits_for_a_handler_that_still_runs_on_the_bus_before) {
    const BusName name;
    Bus bus(name, reattaching());
    std::atomic<bool> running{false}, unsubscribing{false};
    const SubscriptionId id = bus.subscribe("life.begins", [&](const Event&) {
        running = true;
        const auto until = std::chrono::steady_clock::now() + kPatience;
        while (!unsubscribing && std::chrono::steady_clock::now() < until) std::this_thread::yield();
        std::this_thread::sleep_for(20ms);  // the other thread is within unsubscribe() by then, or out of it too early
        running = false;
    });
    bus.publish("life.begins", "");
    std::thread receiver([&] { bus.run_once(kPatience); });
    ASSERT_TRUE(eventually([&] { return running.load(); }));
    remove_file(name);
    ASSERT_NO_FATAL_FAILURE(publish_until_reattached(name, bus));
    unsubscribing = true;
    bus.unsubscribe(id);
    EXPECT_FALSE(running) << "what the handler uses may be freed now";
    receiver.join();
}

}  // namespace
}  // namespace swarmbus::test
