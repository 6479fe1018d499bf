// Types with schemas, among processes: found by all at once, replaced by what only adds, whole whoever dies.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "src/segment/layout.h"
#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"
#include "tests/support/process_shm.hpp"
#include "tests/support/process_step.hpp"

namespace swarmbus::test {
namespace {

using namespace std::literals;

// A table with so many fields.
std::string schema_of(int fields) {
    std::string text = "table Event {";
    for (int i = 0; i < fields; ++i) text += " f" + std::to_string(i) + ":int;";
    return text + " } root_type Event;";
}

std::vector<std::string> names_of(Bus& bus) {
    std::vector<std::string> names;
    for (const RegisteredType& type : bus.types()) names.push_back(type.name);
    return names;
}

swb_result error_of(auto&& call) {
    try {
        call();
    } catch (const Error& e) {
        return e.code();
    }
    return SWB_OK;
}

TEST(Registry, has_the_standard_events_from_the_start) {
    const BusName name;
    Bus bus(name);
    EXPECT_EQ(names_of(bus),
              (std::vector{"agent.capability.announced"s, "agent.collaboration.requested"s, "agent.created"s, "agent.status.changed"s,
                           "agent.task.assigned"s, "agent.task.completed"s, "system.error"s, "system.resource.alert"s, "system.warning"s,
                           "task.completed"s, "task.created"s, "task.failed"s, "task.queued"s, "task.started"s}));
    EXPECT_EQ(bus.type("agent.status.changed").root, "swarmbus.events.AgentStatusChanged");
}

TEST(Registry, takes_no_file_with_two_tables_for_a_type_and_no_type_of_the_bus) {
    const BusName name;
    Bus bus(name);
    const char* twice = R"(attribute "event"; table A (event: "x.y.z") { a:int; } table B (event: "x.y.z") { b:string; })";
    EXPECT_EQ(error_of([&] { bus.register_types(twice); }), SWB_ERR_SCHEMA);
    EXPECT_FALSE(bus.has_type("x.y.z"));
    EXPECT_EQ(error_of([&] { bus.register_type("bus.joined", schema_of(1)); }), SWB_ERR_TYPE_NAME);
}

TEST(Registry, of_one_process_is_that_of_all_at_once) {
    const BusName name;
    Bus bus(name);
    bus.subscribe("test.*");
    EXPECT_EQ(error_of([&] { bus.type("test.thing.happened"); }), SWB_ERR_NO_SCHEMA);
    Process other([&] {
        Bus own(name);
        own.register_type("test.thing.happened", schema_of(2));
        own.publish_json("test.thing.happened", R"({"f1":7})");
    });
    ASSERT_TRUE(other.ended_well());
    EXPECT_EQ(bus.type("test.thing.happened").version, 1u);
    const auto event = bus.next(0ns);
    ASSERT_TRUE(event.has_value());
    EXPECT_EQ(event->encoding(), Encoding::flatbuffers);
    EXPECT_EQ(bus.to_json(*event), R"({"f1":7})");
}

TEST(Registry, events_before_and_after_a_schema_grew_are_read_by_the_newest) {
    const BusName name;
    Bus bus(name);
    bus.subscribe("test.*");
    bus.register_type("test.thing.happened", schema_of(1));
    bus.publish_json("test.thing.happened", R"({"f0":1})");
    Process other([&] { Bus(name).register_type("test.thing.happened", schema_of(3)); });
    ASSERT_TRUE(other.ended_well());
    bus.publish_json("test.thing.happened", R"({"f2":3})");
    EXPECT_EQ(bus.to_json(*bus.next(0ns)), R"({"f0":1})");
    EXPECT_EQ(bus.to_json(*bus.next(0ns)), R"({"f2":3})");
    EXPECT_EQ(error_of([&] { bus.register_type("test.thing.happened", schema_of(2)); }), SWB_ERR_INCOMPATIBLE) << "f2 would be gone";
}

TEST(Registry, of_many_who_register_the_same_at_once_has_it_once) {
    const BusName name;
    Bus bus(name);
    std::vector<std::unique_ptr<Process>> processes;
    for (int i = 0; i < 8; ++i) {
        processes.push_back(std::make_unique<Process>([&] {
            Bus own(name);
            for (int fields = 1; fields <= 4; ++fields) {
                const swb_result result = error_of([&] { own.register_type("test.thing.happened", schema_of(fields)); });
                require(result == SWB_OK || result == SWB_ERR_INCOMPATIBLE, "the same, more, or another has registered more");
            }
        }));
    }
    for (const auto& process : processes) EXPECT_TRUE(process->ended_well());
    EXPECT_EQ(bus.type("test.thing.happened").version, 4u);
    EXPECT_EQ(bus.types().size(), 15u);
}

TEST(Registry, of_a_strict_bus_decides_what_can_be_published) {
    const BusName name;
    Options strict;
    strict.strict = true;
    Bus bus(name, strict);
    bus.subscribe("test.* agent.*");
    EXPECT_EQ(error_of([&] { bus.publish("test.thing.happened", "x"); }), SWB_ERR_NO_SCHEMA);
    EXPECT_EQ(error_of([&] { bus.publisher("test.thing.happened"); }), SWB_ERR_NO_SCHEMA);
    EXPECT_EQ(error_of([&] { bus.publish_json("test.thing.happened", "{}"); }), SWB_ERR_NO_SCHEMA);
    EXPECT_FALSE(bus.next(0ns).has_value());
    bus.register_type("test.thing.happened", schema_of(1));
    EXPECT_EQ(error_of([&] { bus.publish("test.thing.happened", "x"); }), SWB_OK) << "a payload is looked at by who asks for that";
    EXPECT_EQ(error_of([&] { bus.publish_json("agent.created", "{}"); }), SWB_OK);
    EXPECT_EQ(error_of([&] { Bus(name).publish("test.other", ""); }), SWB_ERR_NO_SCHEMA) << "for all its users";
    const BusName other;
    const Bus lenient(other);
    EXPECT_EQ(error_of([&] { const Bus asked(other, strict); }), SWB_ERR_LIMITS);
}

TEST(Registry, verifies_what_a_publisher_wants_verified) {
    const BusName name;
    Options options;
    options.verify = true;
    Bus verifying(name, options), trusting(name);
    verifying.subscribe("agent.*");
    Message message;
    message.payload = as_payload("no FlatBuffer");
    for (const Encoding encoding : {Encoding::flatbuffers, Encoding::bytes}) {
        message.encoding = encoding;
        const swb_result expected = encoding == Encoding::flatbuffers ? SWB_ERR_PAYLOAD : SWB_OK;
        EXPECT_EQ(error_of([&] { verifying.publish("agent.created", message); }), expected);
        EXPECT_EQ(error_of([&] { verifying.publisher("agent.created").publish(message); }), expected);
        EXPECT_EQ(error_of([&] { trusting.publish("agent.created", message); }), SWB_OK);
    }
    message.encoding = Encoding::flatbuffers;
    EXPECT_EQ(error_of([&] { verifying.publish("test.unknown", message); }), SWB_ERR_NO_SCHEMA);
    EXPECT_EQ(error_of([&] { verifying.publish_json("agent.created", R"({"agent_id":"a"})"); }), SWB_OK);
}

TEST(Registry, keeps_a_schema_once_however_many_types_share_it) {
    const BusName name;
    Bus bus(name);
    const std::string schema = schema_of(500);
    const std::uint64_t before = name.look().resident_bytes;
    for (int i = 0; i < 100; ++i) bus.register_type("test.thing." + std::to_string(i), schema);
    EXPECT_LT(name.look().resident_bytes - before, 300u * 1024) << "100 entries and one schema";
}

TEST(Registry, that_is_full_refuses_with_what_it_has_and_stays_as_it_was) {
    const BusName name;
    Bus bus(name);
    int registered = 0;
    swb_result result = SWB_OK;
    for (; result == SWB_OK; ++registered) {
        result = error_of([&] { bus.register_type("test.large." + std::to_string(registered), schema_of(3000 + registered)); });
    }
    EXPECT_EQ(result, SWB_ERR_SCHEMAS_FULL);
    EXPECT_GT(registered, 10);
    EXPECT_NE(std::string(swb_last_error()).find("of 8.0 MiB"), std::string::npos) << swb_last_error();
    EXPECT_EQ(bus.types().size(), 14u + static_cast<std::size_t>(registered) - 1);
    EXPECT_EQ(error_of([&] { bus.register_type("test.small", schema_of(1)); }), SWB_OK) << "a smaller one still fits";
}

TEST(Registry, in_a_full_dev_shm_is_a_clear_error_and_nothing_is_registered) {
    if (!private_shm_is_allowed()) GTEST_SKIP() << "this user may not mount a /dev/shm of its own";
    Process alone([] {
        enter_private_shm("tmpfs", "size=16m");
        const BusName name;
        Bus bus(name);
        const std::string fill = "/dev/shm/full";
        std::system(("cat /dev/zero > " + fill + " 2>/dev/null").c_str());
        require(error_of([&] { bus.register_type("test.thing.happened", schema_of(1500)); }) == SWB_ERR_NO_SPACE, swb_last_error());
        require(bus.types().size() == 14, "nothing was registered");
        ::unlink(fill.c_str());
        bus.register_type("test.thing.happened", schema_of(1500));
        require(bus.types().size() == 15, "now it is");
    });
    EXPECT_TRUE(alone.ended_well());
}

TEST(Registry, of_who_was_killed_at_any_system_call_of_registering_is_whole) {
    if (kSanitized) GTEST_SKIP() << "sanitizers make it far too long to be stepped through";
    int calls = 1, whole = 0;
    for (bool ended = false; !ended; ++calls) {
        const BusName name;
        Bus bus(name);
        SteppedProcess registering([&] {
            Bus own(name);
            SteppedProcess::mark();
            own.register_type("test.thing.happened", schema_of(2));
            ::_exit(0);
        });
        ASSERT_TRUE(registering.run_to_mark());
        ended = registering.step_system_calls(calls) < calls;
        if (!ended) registering.process().kill();
        const bool there = std::ranges::count(names_of(bus), "test.thing.happened") == 1;
        whole += there ? 1 : 0;
        bus.register_type("test.thing.happened", schema_of(2));
        bus.register_type("test.other.happened", schema_of(3));
        EXPECT_EQ(bus.type("test.thing.happened").version, 1u) << calls;
        EXPECT_EQ(bus.types().size(), 16u) << calls;
        EXPECT_EQ(name.doctors_findings().find("unfinished"), std::string::npos) << calls;
    }
    EXPECT_GT(calls, 5);
    EXPECT_GE(whole, 1) << "at its end it was registered";
}

}  // namespace
}  // namespace swarmbus::test
