// Events from process to process: what they carry and which arrive.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"
#include "tests/support/process_shared.hpp"

namespace swarmbus::test {
namespace {

std::uint64_t wall_clock_ns() {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count());
}

TEST(Delivery, an_event_of_another_process_carries_all_its_fields) {
    const BusName name;
    Bus bus(name);
    bus.subscribe("agent.*");
    const std::uint64_t before = wall_clock_ns();
    Process publisher([&] {
        Options options;
        options.source = "worker-7";
        Bus other(name, options);
        Message message;
        message.payload = as_payload("{\"state\":\"busy\"}");
        message.subject = "agent-7";
        message.encoding = Encoding::json;
        const Delivery delivery = other.publish("agent.status.changed", message);
        require(delivery.delivered == 1 && delivery.dropped == 0, "it is delivered to the one subscriber");
    });
    const auto event = bus.next(kPatience);
    const std::uint64_t after = wall_clock_ns();
    ASSERT_TRUE(event && *event);
    EXPECT_EQ(event->type(), "agent.status.changed");
    EXPECT_EQ(event->source(), "worker-7");
    EXPECT_EQ(event->subject(), "agent-7");
    EXPECT_EQ(event->text(), "{\"state\":\"busy\"}");
    EXPECT_EQ(event->encoding(), Encoding::json);
    EXPECT_EQ(event->sequence(), 1u);
    EXPECT_GE(event->time_ns() + 1'000'000, before);  // stamps are read from an anchor up to 1 ms old
    EXPECT_LE(event->time_ns(), after + 1'000'000);
    EXPECT_EQ(event->lost(), 0u);
    EXPECT_TRUE(publisher.ended_well());
}

TEST(Delivery, the_source_is_program_and_pid_unless_given_and_a_message_may_name_its_own) {
    const BusName name;
    Bus bus(name);
    bus.subscribe("*");
    Process publisher([&] {
        Bus other(name);
        other.publish("a.b", "1");
        Message message;
        message.source = "sensor-3";
        other.publish("a.b", message);
    });
    const std::string own = std::string(program_invocation_short_name) + "-" + std::to_string(publisher.pid());
    EXPECT_TRUE(publisher.ended_well());
    EXPECT_EQ(bus.next(kPatience).value().source(), own);  // told although the publisher is gone
    EXPECT_EQ(bus.next(kPatience).value().source(), "sensor-3");
}

TEST(Delivery, payloads_of_every_length_that_fits_arrive_whole_and_aligned) {
    const BusName name;
    Options options;
    options.slot_bytes = 512;
    options.overflow = Overflow::block;
    options.block_timeout = kPatience;
    Bus bus(name, options);
    bus.subscribe("size.*");
    constexpr std::size_t kMost = 512 - 32 - 8;
    const char* const subjects[] = {nullptr, "s", "subject-12", "a-subject-of-some-length-0123456789"};
    Process publisher([&] {
        Options opening;
        opening.block_timeout = kPatience;
        Bus other(name, opening);
        std::vector<std::byte> bytes(kMost);
        for (std::size_t size = 0; size <= kMost; ++size) {
            Message message;
            message.payload = std::span(bytes).first(size);
            message.subject = subjects[size % 4];
            std::fill(bytes.begin(), bytes.end(), static_cast<std::byte>(size));
            try {
                require(other.publish("size.tried", message).delivered == 1, "delivered");
            } catch (const Error& e) {
                require(e.code() == SWB_ERR_TOO_LARGE && message.subject != nullptr, e.what());
            }
        }
    });
    std::size_t arrived = 0;
    while (const auto event = bus.next(publisher.wait(0ns) ? 0s : std::chrono::nanoseconds(kPatience))) {
        const auto payload = event->payload();
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(payload.data()) % 8, 0u) << payload.size();
        EXPECT_TRUE(std::all_of(payload.begin(), payload.end(), [&](std::byte b) { return b == static_cast<std::byte>(payload.size()); }));
        const char* const subject = subjects[payload.size() % 4];
        EXPECT_EQ(event->subject(), subject == nullptr ? "" : subject);
        ++arrived;
        if (payload.size() == kMost) break;
    }
    EXPECT_GT(arrived, kMost - 64);
    EXPECT_TRUE(publisher.ended_well());
}

TEST(Delivery, a_payload_larger_than_an_event_carries_is_refused_with_both_sizes) {
    const BusName name;
    Bus bus(name);
    bus.subscribe("*");
    const std::string large((64 << 20) + (1 << 20), 'x');
    try {
        bus.publish("too.large", large);
        FAIL() << "65 MiB are more than 64";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), SWB_ERR_TOO_LARGE);
        EXPECT_NE(std::string(e.what()).find("65.0 MiB"), std::string::npos) << e.what();
        EXPECT_NE(std::string(e.what()).find("64.0 MiB"), std::string::npos) << e.what();
    }
    EXPECT_FALSE(bus.next(0ns)) << "nothing of it is delivered";
}

struct Case {
    const char* pattern;
    std::vector<std::string> types;
};

class Patterns : public testing::TestWithParam<Case> {};

// All of them are published by another process; the pattern's own arrive, in order, no other does.
TEST_P(Patterns, select_what_arrives_from_another_process) {
    static const std::vector<std::string> all = {"agent",        "agent.created", "agent.status.changed", "agent.x.y.changed",
                                                 "task.created", "task.failed",   "agentx.created",       "system"};
    const BusName name;
    Bus bus(name);
    bus.subscribe(GetParam().pattern);
    Process publisher([&] {
        Bus other(name);
        for (const std::string& type : all) other.publish(type.c_str(), "");
    });
    ASSERT_TRUE(publisher.ended_well());
    std::vector<std::string> arrived;
    while (const auto event = bus.next(0ns)) arrived.emplace_back(event->type());
    EXPECT_EQ(arrived, GetParam().types);
}

INSTANTIATE_TEST_SUITE_P(
    Delivery, Patterns,
    testing::Values(Case{"agent.*", {"agent.created", "agent.status.changed", "agent.x.y.changed"}},
                    Case{"*",
                         {"agent", "agent.created", "agent.status.changed", "agent.x.y.changed", "task.created", "task.failed",
                          "agentx.created", "system"}},
                    Case{"agent.+.changed", {"agent.status.changed"}}, Case{"+", {"agent", "system"}},
                    Case{"agent.>", {"agent.created", "agent.status.changed", "agent.x.y.changed"}}, Case{"task.failed", {"task.failed"}},
                    Case{"*.created task.*", {"agent.created", "task.created", "task.failed", "agentx.created"}},
                    Case{"ag*ed,system", {"agent.created", "agent.status.changed", "agent.x.y.changed", "agentx.created", "system"}}));

TEST(Delivery, an_event_that_two_subscriptions_match_is_received_once_and_given_to_both_handlers) {
    const BusName name;
    Bus bus(name);
    int wide = 0, narrow = 0;
    bus.subscribe("agent.*", [&](const Event&) { ++wide; });
    bus.subscribe("agent.created", [&](const Event&) { ++narrow; });
    Process publisher([&] {
        Bus other(name);
        require(other.publish("agent.created", Message{}).delivered == 1, "one inbox");
        other.publish("agent.ended", "");
    });
    ASSERT_TRUE(publisher.ended_well());
    std::size_t handled = 0;
    while (handled < 2) handled += bus.run_once(kPatience);
    EXPECT_EQ(handled, 2u);
    EXPECT_EQ(wide, 2);
    EXPECT_EQ(narrow, 1);
}

TEST(Delivery, a_handle_receives_what_it_publishes_itself) {
    const BusName name;
    Bus bus(name);
    bus.subscribe("*");
    bus.publish("own.event", "mine");
    EXPECT_EQ(bus.next(0ns).value().text(), "mine");
}

TEST(Delivery, a_separate_handle_has_an_inbox_of_its_own) {
    const BusName name;
    Bus bus(name);
    Bus second = bus.separate({});
    bus.subscribe("a.*");
    second.subscribe("b.*");
    Process publisher([&] {
        Bus other(name);
        other.publish("a.x", "");
        other.publish("b.x", "");
    });
    ASSERT_TRUE(publisher.ended_well());
    EXPECT_EQ(bus.next(0ns).value().type(), "a.x");
    EXPECT_FALSE(bus.next(0ns));
    EXPECT_EQ(second.next(0ns).value().type(), "b.x");
    EXPECT_FALSE(second.next(0ns));
}

TEST(Delivery, a_batch_holds_what_is_there_up_to_half_the_inbox) {
    const BusName name;
    Options options;
    options.capacity_slots = 64;
    Bus bus(name, options);
    bus.subscribe("*");
    Process publisher([&] {
        Bus other(name);
        for (int i = 0; i < 60; ++i) other.publish("a.b", std::to_string(i));
    });
    ASSERT_TRUE(publisher.ended_well());
    const auto first = bus.next_batch(1000, 0ns);
    ASSERT_EQ(first.size(), 32u);
    EXPECT_EQ(first.front().text(), "0");
    EXPECT_EQ(first.back().text(), "31");
    const auto second = bus.next_batch(10, 0ns);
    ASSERT_EQ(second.size(), 10u);
    EXPECT_EQ(second.front().text(), "32");
    EXPECT_EQ(bus.next_batch(1000, 0ns).size(), 18u);
    EXPECT_TRUE(bus.next_batch(1000, 0ns).empty());
}

TEST(Delivery, a_copy_outlives_its_inbox) {
    std::optional<EventCopy> copy;
    {
        const BusName name;
        Bus bus(name);
        bus.subscribe("*");
        Message message;
        message.subject = "s";
        message.payload = as_payload("kept");
        bus.publish("a.b", message);
        copy.emplace(bus.next(0ns).value());
    }
    EXPECT_EQ(copy->view().type(), "a.b");
    EXPECT_EQ(copy->view().subject(), "s");
    EXPECT_EQ(copy->view().text(), "kept");
}

}  // namespace
}  // namespace swarmbus::test
