// Tables of generated code, published and read as they are.
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include <swarmbus/events.hpp>
#include <swarmbus/swarmbus.hpp>
#include <swarmbus_events.h>

#include "tests/support/process_bus.hpp"

namespace swarmbus::test {
namespace {

using namespace std::chrono_literals;

events::AgentStatusChangedT changed() {
    events::AgentStatusChangedT changed;
    changed.agent_id = "agent-7";
    changed.new_status = "working";
    return changed;
}

class Typed : public testing::Test {
protected:
    Typed() { bus_.subscribe("agent.* task.*"); }
    const BusName name_;
    Bus bus_{name_};
};

TEST_F(Typed, an_object_is_published_under_the_type_of_its_schema_and_read_as_its_table) {
    Message message;
    message.subject = "agent-7";
    EXPECT_EQ(bus_.publish(changed(), message).delivered, 1u);
    const auto event = bus_.next(0ns);
    ASSERT_TRUE(event.has_value());
    EXPECT_EQ(event->type(), event_types::agent_status_changed);
    EXPECT_EQ(event->type(), SWB_TYPE_AGENT_STATUS_CHANGED);
    EXPECT_EQ(event->encoding(), Encoding::flatbuffers);
    EXPECT_EQ(event->subject(), "agent-7");
    const auto* table = event->as<events::AgentStatusChanged>();
    ASSERT_NE(table, nullptr);
    EXPECT_EQ(table->agent_id()->string_view(), "agent-7");
    EXPECT_EQ(table->new_status()->string_view(), "working");
    EXPECT_EQ(table->previous_status(), nullptr) << "an empty text of an object is absent";
    EXPECT_EQ(event->as<events::TaskFailed>(), nullptr) << "it is of another type";
    EXPECT_EQ(bus_.to_json(*event), R"({"agent_id":"agent-7","new_status":"working"})");
}

TEST_F(Typed, a_publisher_takes_objects_and_what_a_builder_builds) {
    TypedPublisher<events::AgentStatusChanged> publisher(bus_);
    publisher.publish(changed());
    publisher.publish([](flatbuffers::FlatBufferBuilder& builder) {
        return events::CreateAgentStatusChangedDirect(builder, "agent-8", nullptr, "idle");
    });
    for (const std::string agent : {"agent-7", "agent-8"})
        EXPECT_EQ(bus_.next(0ns)->as<events::AgentStatusChanged>()->agent_id()->str(), agent);
}

TEST_F(Typed, what_is_published_within_a_builder_harms_neither_event) {
    TypedPublisher<events::TaskCreated> publisher(bus_);
    publisher.publish([&](flatbuffers::FlatBufferBuilder& builder) {
        const auto id = builder.CreateString("t-1");
        bus_.publish(changed());
        events::TaskCreatedBuilder table(builder);
        table.add_task_id(id);
        return table.Finish();
    });
    bus_.publish(changed());
    EXPECT_EQ(bus_.next(0ns)->as<events::AgentStatusChanged>()->agent_id()->str(), "agent-7");
    EXPECT_EQ(bus_.next(0ns)->as<events::TaskCreated>()->task_id()->str(), "t-1");
    EXPECT_EQ(bus_.next(0ns)->as<events::AgentStatusChanged>()->agent_id()->str(), "agent-7");
}

TEST_F(Typed, a_payload_of_more_than_a_million_tables_is_read) {
    std::string json = R"({"task_id":"t-1","metadata":[1)";
    for (int i = 1; i < 1'000'100; ++i) json += ",1";
    bus_.publish_json("task.created", json + "]}");
    EXPECT_EQ(bus_.next(0ns)->as<events::TaskCreated>()->metadata()->items()->size(), 1'000'100u);
}

TEST_F(Typed, a_payload_that_is_not_the_table_is_refused) {
    bus_.publish(event_types::agent_status_changed, "no FlatBuffer");
    Message message;
    message.payload = as_payload("no FlatBuffer either");
    message.encoding = Encoding::flatbuffers;
    bus_.publish(event_types::agent_status_changed, message);
    for (int i = 0; i < 2; ++i) {
        try {
            bus_.next(0ns)->as<events::AgentStatusChanged>();
            ADD_FAILURE() << "it was read";
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), SWB_ERR_PAYLOAD);
        }
    }
}

TEST_F(Typed, what_json_published_is_the_same_table) {
    bus_.publish_json("task.completed", R"({"task_id":"t-1","duration_ms":12.5,"metadata":{"tries":3}})");
    const auto event = bus_.next(0ns);
    const auto* table = event->as<events::TaskCompleted>();
    ASSERT_NE(table, nullptr);
    EXPECT_EQ(table->task_id()->string_view(), "t-1");
    EXPECT_EQ(table->agent_id(), nullptr);
    EXPECT_EQ(table->duration_ms(), 12.5);
    EXPECT_EQ(table->metadata()->items()->Get(0)->integer(), 3);
}

TEST_F(Typed, a_cloudevent_is_the_same_table) {
    EXPECT_EQ(bus_.publish_cloudevent(R"({"specversion":"1.0","id":"1","source":"/s","type":"task.completed","data":{"task_id":"t-1"}})")
                  .delivered,
              1u);
    const auto event = bus_.next(0ns);
    EXPECT_EQ(event->as<events::TaskCompleted>()->task_id()->string_view(), "t-1");
    const std::string text = bus_.to_cloudevent(*event);
    EXPECT_TRUE(text.ends_with(R"("datacontenttype":"application/json","data":{"task_id":"t-1"}})")) << text;
    bus_.publish_cloudevent(text);
    EXPECT_EQ(bus_.next(0ns)->source(), "/s");
}

TEST_F(Typed, threads_convert_cloudevents_at_once) {
    bus_.publish_json("task.completed", R"({"task_id":"t-1"})");
    const EventCopy event(*bus_.next(0ns));
    const std::string expected = bus_.to_cloudevent(event.view());
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&] {
            for (int i = 0; i < 200; ++i) {
                EXPECT_EQ(bus_.to_cloudevent(event.view()), expected);
                bus_.publish_cloudevent(expected);
            }
        });
    }
}

TEST_F(Typed, a_large_table_is_published_like_any_other) {
    events::SystemErrorT error;
    error.detail = std::string(1 << 20, 'x');
    Bus inbox = bus_.separate({});
    inbox.subscribe("system.*");
    bus_.publish(error);
    const auto event = inbox.next(0ns);
    ASSERT_TRUE(event.has_value());
    EXPECT_EQ(event->as<events::SystemError>()->detail()->size(), 1u << 20);
}

}  // namespace
}  // namespace swarmbus::test
