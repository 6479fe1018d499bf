// Types that are not in the table: the name travels in the slot, and the publisher matches itself.
#include <gtest/gtest.h>

#include <fcntl.h>

#include "src/error.hpp"
#include "src/life/file_lock.hpp"
#include "src/routing/routes.hpp"
#include "src/routing/type_table.hpp"
#include "tests/unit/bus_fixture.hpp"

namespace swarmbus::test {
namespace {

using Events = std::vector<std::string>;

// Room for one type, and that is taken.
class InlineType : public testing::Test {
protected:
    InlineType() : publisher(Handle::open(name, small_bus_options({4, 8, 1, 128, 16, 1 << 20}))) { publish(*publisher, "first.type", ""); }

    Segment& segment() { return publisher->attachment().segment(); }
    std::shared_ptr<Handle> subscriber(std::string_view patterns) {
        std::shared_ptr<Handle> handle = publisher->separate(publisher->options());
        handle->subscribe(patterns, nullptr, nullptr);
        return handle;
    }

    BusName name;
    std::shared_ptr<Handle> publisher;
};

TEST_F(InlineType, arrives_with_its_name) {
    const auto reader = subscriber("*");
    EXPECT_EQ(publish(*publisher, "second.type", "1").delivered, 1u);
    EXPECT_EQ(publish(*publisher, "first.type", "2").delivered, 1u);
    EXPECT_EQ(publish(*publisher, "third.type", "3").delivered, 1u);
    EXPECT_FALSE(publisher->event_type("second.type")->entered());
    EXPECT_TRUE(publisher->event_type("first.type")->entered());
    EXPECT_EQ(types_in_use(segment()), 1u);
    EXPECT_EQ(receive_all(*reader), (Events{"second.type:1", "first.type:2", "third.type:3"}));
}

TEST_F(InlineType, arrives_where_its_patterns_match_and_nowhere_else) {
    const auto agents = subscriber("agent.*");
    const auto tasks = subscriber("task.*");
    const auto all = subscriber("*");
    EXPECT_EQ(publish(*publisher, "agent.created", "1").delivered, 2u);
    EXPECT_EQ(publish(*publisher, "task.created", "2").delivered, 2u);
    EXPECT_EQ(publish(*publisher, "other", "3").delivered, 1u);
    EXPECT_EQ(receive_all(*agents), Events{"agent.created:1"});
    EXPECT_EQ(receive_all(*tasks), Events{"task.created:2"});
    EXPECT_EQ(receive_all(*all), (Events{"agent.created:1", "task.created:2", "other:3"}));
}

TEST_F(InlineType, follows_every_change_of_subscriptions) {
    EXPECT_EQ(publish(*publisher, "agent.created", "0").delivered, 0u);
    const auto reader = subscriber("task.*");
    EXPECT_EQ(publish(*publisher, "agent.created", "1").delivered, 0u);
    const std::uint64_t id = reader->subscribe("agent.*", nullptr, nullptr);
    EXPECT_EQ(publish(*publisher, "agent.created", "2").delivered, 1u);
    reader->unsubscribe(id);
    EXPECT_EQ(publish(*publisher, "agent.created", "3").delivered, 0u);
    EXPECT_EQ(receive_all(*reader), Events{}) << "2 is not asked for any more";
    reader->subscribe("+.created", nullptr, nullptr);
    EXPECT_EQ(publish(*publisher, "agent.created", "4").delivered, 1u);
    EXPECT_EQ(receive_all(*reader), Events{"agent.created:4"});
    reader->close();
    EXPECT_EQ(publish(*publisher, "agent.created", "5").delivered, 0u);
}

TEST_F(InlineType, is_matched_once_while_no_subscription_changes) {
    const auto reader = subscriber("agent.*");
    const std::shared_ptr<EventType> kept = publisher->event_type("agent.created");
    EventType& type = *kept;
    const std::uint64_t bit = type.matched_inboxes(publisher->attachment())[0];
    EXPECT_NE(bit, 0u);
    // Patterns changed behind the back of the control generation are not looked at again.
    write_patterns(segment(), 0, {"task.*"});
    EXPECT_EQ(type.matched_inboxes(publisher->attachment())[0], bit);
    segment().header().control += 2;
    EXPECT_EQ(type.matched_inboxes(publisher->attachment())[0], 0u);
}

TEST_F(InlineType, is_matched_each_time_while_a_control_operation_is_under_way) {
    const auto reader = subscriber("agent.*");
    const std::shared_ptr<EventType> kept = publisher->event_type("agent.created");
    EventType& type = *kept;
    segment().header().control |= 1;
    EXPECT_NE(type.matched_inboxes(publisher->attachment())[0], 0u);
    write_patterns(segment(), 0, {"task.*"});
    EXPECT_EQ(type.matched_inboxes(publisher->attachment())[0], 0u);
    segment().header().control = (segment().header().control | 1) + 1;
    EXPECT_EQ(type.matched_inboxes(publisher->attachment())[0], 0u);
}

TEST_F(InlineType, that_another_process_entered_is_found) {
    BusName other;
    const auto handle = Handle::open(other, small_bus_options());
    Segment& table = handle->attachment().segment();
    enter_type(table, "agent.created");
    EXPECT_TRUE(handle->event_type("agent.created")->entered());
    EXPECT_EQ(handle->event_type("agent.created")->index(), 0u);
    EXPECT_EQ(types_in_use(table), 1u);
}

TEST_F(InlineType, is_used_when_the_control_lock_is_not_to_be_had) {
    BusName other;
    const auto handle = Handle::open(other, small_bus_options());
    handle->subscribe("*", nullptr, nullptr);
    const Descriptor elsewhere(::open(other.path().c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_TRUE(try_lock(elsewhere.get(), SWB_LOCK_CONTROL));
    EXPECT_EQ(publish(*handle, "agent.created", "1").delivered, 1u);
    EXPECT_FALSE(handle->event_type("agent.created")->entered());
    unlock(elsewhere.get(), SWB_LOCK_CONTROL);
    EXPECT_EQ(publish(*handle, "agent.created", "2").delivered, 1u) << "tried again after a second only";
    EXPECT_FALSE(handle->event_type("agent.created")->entered());
    EXPECT_EQ(receive_all(*handle), (Events{"agent.created:1", "agent.created:2"}));
}

TEST_F(InlineType, that_finds_the_table_full_disturbs_nobody) {
    const std::uint64_t before = control_generation(segment());
    for (int n = 0; n < 10; ++n) publish(*publisher, "made.up" + std::to_string(n), "");
    EXPECT_EQ(control_generation(segment()), before) << "what others have matched stays true";
}

TEST_F(InlineType, names_without_end_are_not_all_remembered) {
    const std::shared_ptr<EventType> kept = publisher->event_type("kept.name");
    TypesByName names;
    names.add(publisher->event_type("first.type"));
    names.add(kept);
    for (int n = 0; n < 20'000; ++n) names.add(std::make_shared<EventType>("made.up" + std::to_string(n)));
    EXPECT_LE(names.size(), 8192u);
    EXPECT_NE(names.find("first.type"), nullptr) << "it is in the table, which is not endless";
    EXPECT_NE(names.find("made.up19999"), nullptr);
    EXPECT_EQ(names.find("made.up0"), nullptr);
    Message message;
    Delivery delivery;
    EXPECT_EQ(publisher->writer().publish(*kept, message, delivery), SWB_OK) << "whoever holds one still can use it";
}

TEST_F(InlineType, of_127_bytes_needs_room_in_the_slot) {
    const auto reader = subscriber("*");
    const std::string name_of_127(127, 'x');
    Message message;
    Delivery delivery;
    EXPECT_EQ(publisher->writer().publish(*publisher->event_type(name_of_127), message, delivery), SWB_ERR_TOO_LARGE)
        << "32 + 8 + 136 bytes, in slots of 128";
    EXPECT_EQ(delivery.delivered, 0u);
    EXPECT_EQ(publish(*publisher, std::string(70, 'x'), "1").delivered, 1u);
    EXPECT_EQ(receive_all(*reader), Events{std::string(70, 'x') + ":1"});
}

TEST_F(InlineType, that_is_no_type_is_refused_before_anything_is_published) {
    EXPECT_THROW(publisher->event_type("agent..created"), Error);
}

}  // namespace
}  // namespace swarmbus::test
