// Large events: what arrives, and for how long it is there.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process_large.hpp"
#include "tests/support/process_reaping.hpp"
#include "tests/support/process_shared.hpp"

namespace swarmbus::test {
namespace {

TEST(LargeEvent, carries_every_size_from_nothing_to_64_mebibytes) {
    const BusName name;
    Bus publisher(name), reader(name);
    Bus inbox = reader.separate(with(Overflow::drop_newest));
    inbox.subscribe("load.*");
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{216}, std::size_t{217}, std::size_t{224}, std::size_t{256},
                                    std::size_t{4096}, std::size_t{4097}, std::size_t{65536}, kMiB + 1, 64 * kMiB}) {
        EXPECT_TRUE(publisher.publish("load.sized", payload_of(bytes, bytes))) << bytes;
        const auto event = inbox.next(kPatience);
        ASSERT_TRUE(event.has_value()) << bytes;
        EXPECT_EQ(event->payload().size(), bytes);
        EXPECT_TRUE(is_whole(*event, bytes)) << bytes;
    }
    EXPECT_EQ(error_of([&] { publisher.publish("load.sized", payload_of(1, 64 * kMiB + 1)); }), SWB_ERR_TOO_LARGE);
}

TEST(LargeEvent, keeps_subject_and_source) {
    const BusName name;
    Bus bus(name);
    bus.subscribe("load.*");
    const auto payload = payload_of(5, 10'000);
    Message message;
    message.payload = payload;
    message.subject = "agent-7";
    message.source = "the planner";
    bus.publish("load.named", message);
    const auto event = bus.next(0ns);
    ASSERT_TRUE(event.has_value());
    EXPECT_EQ(event->subject(), "agent-7");
    EXPECT_EQ(event->source(), "the planner");
    EXPECT_TRUE(is_whole(*event, 5));
}

TEST(LargeEvent, is_one_copy_for_eight_subscribers) {
    const BusName name;
    Bus publisher(name, with(Overflow::drop_newest, 16, 3 * kMiB));  // no room for eight copies
    std::vector<Bus> readers;
    for (int i = 0; i < 8; ++i) {
        readers.push_back(publisher.separate(with(Overflow::drop_newest)));
        readers.back().subscribe("load.*");
    }
    Message message;
    const auto payload = payload_of(9, kMiB);
    message.payload = payload;
    EXPECT_EQ(publisher.publish("load.shared", message).delivered, 8u);
    for (Bus& reader : readers) EXPECT_TRUE(is_whole(reader.next(0ns).value(), 9));
}

TEST(LargeEvent, is_built_in_place_in_a_loan) {
    const BusName name;
    Bus bus(name);
    bus.subscribe("load.*");
    Loan loan = bus.loan(kMiB);
    ASSERT_EQ(loan.memory().size(), kMiB);
    const auto payload = payload_of(3, 1000);
    std::copy(payload.begin(), payload.end(), loan.memory().begin());
    EXPECT_EQ(bus.publish("load.built", std::move(loan), 1000).delivered, 1u);
    const auto event = bus.next(0ns);
    ASSERT_TRUE(event.has_value());
    EXPECT_EQ(event->payload().size(), 1000u);
    EXPECT_TRUE(is_whole(*event, 3));
}

TEST(LargeEvent, loans_are_refused_when_they_are_not_loans_any_more) {
    const BusName name;
    Bus bus(name);
    bus.subscribe("load.*");
    void* memory = nullptr;
    ASSERT_EQ(swb_loan(bus.raw(), 5000, &memory), SWB_OK);
    swb_message message{};
    message.size = sizeof message;
    message.payload = memory;
    message.payload_bytes = 50'000;
    message.flags = SWB_LOANED;
    EXPECT_EQ(swb_publish_message(bus.raw(), "load.built", &message, nullptr), SWB_ERR_ARGUMENT) << "more than was asked for";
    message.payload_bytes = 5000;
    EXPECT_EQ(swb_publish_message(bus.raw(), "load.built", &message, nullptr), SWB_OK) << "an error leaves it the caller's";
    EXPECT_EQ(swb_publish_message(bus.raw(), "load.built", &message, nullptr), SWB_ERR_ARGUMENT) << "published already";
    EXPECT_EQ(swb_loan_return(bus.raw(), memory), SWB_ERR_ARGUMENT);
    EXPECT_EQ(swb_loan(bus.raw(), 65 * kMiB, &memory), SWB_ERR_TOO_LARGE);
}

TEST(LargeEvent, is_readable_when_its_publisher_has_ended) {
    for (const bool killed : {false, true}) {
        const BusName name;
        Bus reader(name, with(Overflow::drop_newest));
        reader.subscribe("load.*");
        Shared<std::atomic<bool>> published;
        Process publisher([&] {
            Bus bus(name);
            bus.publish("load.last", payload_of(77, 3 * kMiB));
            published->store(true);
            if (killed) ::pause();
        });
        ASSERT_TRUE(eventually([&] { return published->load(); }));
        killed ? publisher.kill() : static_cast<void>(publisher.ended_well());
        ASSERT_TRUE(attach_and_leave(name));
        EXPECT_EQ(arenas_of(name).size(), 1u) << "it is not read yet";
        {
            const auto event = reader.next(kPatience);
            ASSERT_TRUE(event.has_value());
            ASSERT_TRUE(attach_and_leave(name));
            EXPECT_TRUE(is_whole(*event, 77));
        }
        reader.release();
        ASSERT_TRUE(attach_and_leave(name));
        EXPECT_EQ(arenas_of(name).size(), 0u) << "nobody has anything to read there any more";
    }
}

TEST(LargeEvent, that_is_held_keeps_the_file_of_a_dead_publisher_while_others_pass_its_slot) {
    const BusName name;
    Bus reader(name, with(Overflow::drop_oldest));
    reader.subscribe("load.*");
    Process publisher([&] { Bus(name).publish("load.last", payload_of(77, 5000)); });
    ASSERT_TRUE(publisher.ended_well());
    const auto event = reader.next(kPatience);
    ASSERT_TRUE(event.has_value());
    Bus other(name);
    for (int i = 0; i < 40; ++i) other.publish("load.small", "");  // twice around the inbox
    ASSERT_TRUE(attach_and_leave(name));
    EXPECT_EQ(arenas_of(name).size(), 1u) << "it is held";
    EXPECT_TRUE(is_whole(*event, 77));
    reader.release();
    ASSERT_TRUE(attach_and_leave(name));
    EXPECT_EQ(arenas_of(name).size(), 0u);
}

}  // namespace
}  // namespace swarmbus::test
