// The option `reattach`: a bus that was removed is opened anew by whoever notices.
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"
#include "tests/support/process_shared.hpp"

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
    pollfd old{reader.descriptor(), POLLIN, 0};
    remove_file(name);
    EXPECT_TRUE(eventually([&] {
        EXPECT_EQ(::poll(&old, 1, 10'000), 1) << "it is readable about once a second";
        EXPECT_FALSE(reader.next(0ns).has_value());
        return reader.reattached() == 1;
    }));
    pollfd fresh{reader.descriptor(), POLLIN, 0};
    Bus(name).publish("life.goes", "");
    EXPECT_EQ(::poll(&fresh, 1, 10'000), 1);
    EXPECT_TRUE(reader.next(0ns).has_value());
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

}  // namespace
}  // namespace swarmbus::test
