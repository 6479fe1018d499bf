// What a client says to a gateway and makes of what it hears: the gateway's side is written and read by the gateway's own code.
#include <gtest/gtest.h>

#include "ws_gateway/client/conversation.hpp"
#include "ws_gateway/messages/flat_messages.hpp"
#include "ws_gateway/server/commands.hpp"

namespace swarmbus::remote {
namespace {

using gateway::Record;

constexpr std::uint64_t kEpoch = 0x9f86d081884c7d65;

Cursor at(std::uint64_t offset) { return {kEpoch, offset}; }

class ClientConversation : public ::testing::Test {
protected:
    // A message that the gateway puts together.
    template <typename Write>
    Conversation::Outcome hear(Write&& write) {
        std::string text;
        write(text);
        return hear_bytes(text);
    }
    Conversation::Outcome hear_bytes(std::string_view text) {
        auto bytes = std::make_shared<MessageBytes>();
        bytes->append(std::as_bytes(std::span(text)));
        return conversation.message(bytes);
    }
    Conversation::Outcome hear_hello(std::uint64_t offset) {
        return hear([&](std::string& out) { form.hello(out, {"gateway", "bus", at(offset), 30'000, 65'536, 64, true}); });
    }
    Conversation::Outcome hear_subscribed(gateway::Resume resume, std::uint64_t offset,
                                          gateway::ResetReason reason = gateway::ResetReason::none) {
        return hear([&](std::string& out) { form.subscribed(out, {1, {"a.*"}, resume, reason, at(offset)}); });
    }
    Conversation::Outcome hear_events(std::initializer_list<std::uint64_t> offsets) {
        return hear([&](std::string& out) {
            for (const std::uint64_t offset : offsets) append_event(out, offset);
        });
    }
    Conversation::Outcome hear_heartbeat(std::uint64_t offset) {
        return hear([&](std::string& out) { form.heartbeat(out, at(offset)); });
    }
    void append_event(std::string& out, std::uint64_t offset, std::uint32_t encoding = SWB_TEXT) {
        Record record;
        record.offset = offset;
        record.sequence = offset + 100;
        record.time_ns = 5;
        record.writer = 7;
        record.type_name = "a.b";
        record.source = "somebody";
        record.encoding = encoding;
        record.payload = "payload";
        events.encode(record, out);
    }
    // A connection that is live from `offset` on.
    void go_live(std::uint64_t offset) {
        conversation.opened();
        conversation.to_send().clear();
        hear_hello(offset);
        hear_subscribed(gateway::Resume::live, offset);
    }
    // The connection is lost, and another made.
    void reconnect() {
        conversation.closed();
        conversation.opened();
    }
    gateway::Command take_command() {
        EXPECT_FALSE(conversation.to_send().empty());
        const std::string message = std::move(conversation.to_send().front());
        conversation.to_send().pop_front();
        EXPECT_EQ(message.size() % 8, 0u);
        return gateway::command_from_frame(std::as_bytes(std::span(message)));
    }
    template <typename Kind>
    Kind take() {
        EXPECT_FALSE(conversation.queue().empty());
        Kind taken = std::get<Kind>(conversation.queue().front());
        conversation.queue().pop_front();
        return taken;
    }
    std::vector<std::uint64_t> take_offsets() {
        std::vector<std::uint64_t> offsets;
        while (!conversation.queue().empty()) offsets.push_back(take<RemoteEvent>().offset);
        return offsets;
    }

    gateway::FlatMessages form;
    gateway::FlatEvents events;
    Conversation conversation{{"a.*", "b.>"}, false};
};

TEST_F(ClientConversation, takes_a_payload_of_an_encoding_that_later_gateways_may_have_for_bytes) {
    go_live(1);
    hear([&](std::string& out) { append_event(out, 2, 200); });
    EXPECT_EQ(take<RemoteEvent>().event.encoding, static_cast<std::uint32_t>(SWB_BYTES));
}

TEST_F(ClientConversation, subscribes_at_once_from_now_on) {
    conversation.opened();
    const auto subscribe = std::get<gateway::SubscribeCommand>(take_command());
    EXPECT_EQ(subscribe.subscription.patterns, (std::vector<std::string>{"a.*", "b.>"}));
    EXPECT_FALSE(subscribe.subscription.since);
}

TEST_F(ClientConversation, is_live_when_it_is_subscribed) {
    conversation.opened();
    EXPECT_FALSE(hear_hello(10).live);
    EXPECT_EQ(hear_subscribed(gateway::Resume::live, 10).live, std::chrono::seconds(30));
    EXPECT_TRUE(conversation.queue().empty());
}

TEST_F(ClientConversation, events_are_as_they_were_on_the_bus) {
    go_live(10);
    hear_events({11, 14});
    const auto event = take<RemoteEvent>();
    EXPECT_STREQ(event.event.type, "a.b");
    EXPECT_STREQ(event.event.source, "somebody");
    EXPECT_STREQ(event.event.subject, "");
    EXPECT_EQ(event.event.sequence, 111u);
    EXPECT_EQ(event.event.writer, 7u);
    EXPECT_EQ(event.event.time_ns, 5u);
    EXPECT_EQ(event.event.encoding, static_cast<std::uint32_t>(SWB_TEXT));
    EXPECT_EQ(std::string_view(static_cast<const char*>(event.event.payload), event.event.payload_bytes), "payload");
    EXPECT_EQ(event.event.lost, 0u);
    EXPECT_EQ(take<RemoteEvent>().offset, 14u);
    EXPECT_EQ(conversation.cursor(), at(14));
}

TEST_F(ClientConversation, resumes_behind_the_last_event) {
    go_live(10);
    hear_events({11});
    reconnect();
    EXPECT_EQ(std::get<gateway::SubscribeCommand>(take_command()).subscription.since, at(11));
}

TEST_F(ClientConversation, a_heartbeat_moves_the_cursor) {
    go_live(10);
    hear_heartbeat(20);
    reconnect();
    EXPECT_EQ(std::get<gateway::SubscribeCommand>(take_command()).subscription.since, at(20));
}

TEST_F(ClientConversation, tells_when_it_has_caught_up_and_how_much_that_was) {
    go_live(10);
    reconnect();
    conversation.to_send().clear();
    hear_hello(14);
    EXPECT_TRUE(conversation.queue().empty());
    hear_subscribed(gateway::Resume::recovered, 10);
    EXPECT_TRUE(std::holds_alternative<gateway::HeartbeatCommand>(take_command()));
    hear_events({11, 13});
    hear_heartbeat(14);
    EXPECT_EQ(take<RemoteEvent>().offset, 11u);
    EXPECT_EQ(take<RemoteEvent>().offset, 13u);
    EXPECT_EQ(take<CaughtUp>().events, 2u);
    EXPECT_TRUE(conversation.queue().empty());
}

TEST_F(ClientConversation, asks_again_while_it_is_behind) {
    go_live(10);
    reconnect();
    hear_hello(14);
    hear_subscribed(gateway::Resume::recovered, 10);
    conversation.to_send().clear();
    hear_heartbeat(12);
    EXPECT_TRUE(std::holds_alternative<gateway::HeartbeatCommand>(take_command()));
    hear_heartbeat(14);
    EXPECT_TRUE(conversation.to_send().empty());
}

TEST_F(ClientConversation, has_caught_up_in_front_of_what_is_new) {
    go_live(10);
    reconnect();
    hear_hello(12);
    hear_subscribed(gateway::Resume::recovered, 10);
    hear_events({11, 15});
    EXPECT_EQ(take<RemoteEvent>().offset, 11u);
    EXPECT_EQ(take<CaughtUp>().events, 1u);
    EXPECT_EQ(take<RemoteEvent>().offset, 15u);
}

TEST_F(ClientConversation, gives_each_event_once) {
    go_live(10);
    hear_events({11, 12});
    hear_events({12, 13});
    EXPECT_EQ(take_offsets(), (std::vector<std::uint64_t>{11, 12, 13}));
}

TEST_F(ClientConversation, a_reset_is_told_with_its_reason) {
    go_live(10);
    reconnect();
    hear_hello(3);
    hear_subscribed(gateway::Resume::reset, 3, gateway::ResetReason::epoch);
    EXPECT_EQ(take<Reset>().reason, Reset::Reason::epoch);
    hear_events({4});
    EXPECT_EQ(take<RemoteEvent>().offset, 4u);
}

TEST_F(ClientConversation, a_snapshot_that_was_cut_short_is_asked_for_again) {
    go_live(10);
    for (int attempt = 0; attempt < 2; ++attempt) {
        reconnect();
        const auto asked = std::get<gateway::SubscribeCommand>(take_command());
        EXPECT_EQ(asked.subscription.since, at(10));
        hear_hello(50);
        hear([&](std::string& out) { form.subscribed(out, {1, {"a.*"}, gateway::Resume::reset, gateway::ResetReason::expired, {}}); });
        EXPECT_EQ(take<Reset>().reason, Reset::Reason::expired);
        hear([&](std::string& out) {
            std::string first;
            append_event(first, 30);
            form.snapshot(out, {{first}, true, true, {}});
        });
        EXPECT_TRUE(take<RemoteEvent>().is_of_snapshot);
    }
    hear([&](std::string& out) { form.snapshot(out, {{}, true, false, at(50)}); });
    EXPECT_EQ(conversation.cursor(), at(50));
    hear_events({51});
    EXPECT_FALSE(take<RemoteEvent>().is_of_snapshot);
}

TEST_F(ClientConversation, events_of_a_snapshot_are_told_apart_and_move_no_cursor) {
    go_live(10);
    reconnect();
    hear_hello(50);
    hear_subscribed(gateway::Resume::reset, 50, gateway::ResetReason::expired);
    take<Reset>();
    hear([&](std::string& out) {
        std::string first, second;
        append_event(first, 30);
        append_event(second, 20);
        form.snapshot(out, {{first, second}, true, false, at(50)});
        append_event(out, 51);
    });
    EXPECT_TRUE(take<RemoteEvent>().is_of_snapshot);
    EXPECT_TRUE(take<RemoteEvent>().is_of_snapshot);
    EXPECT_FALSE(take<RemoteEvent>().is_of_snapshot);
    EXPECT_EQ(conversation.cursor(), at(51));
}

TEST_F(ClientConversation, gaps_are_told_with_their_cause) {
    go_live(10);
    hear([&](std::string& out) { form.gap(out, {at(20), 7, nullptr}); });
    const auto slow = take<Gap>();
    EXPECT_EQ(slow.cause, Gap::Cause::slow);
    EXPECT_EQ(slow.missed, 7u);
    gateway::BusLoss loss;
    loss.by_cause[SWB_LOSS_FULL] = 3;
    hear([&](std::string& out) { form.gap(out, {at(21), 3, &loss}); });
    const auto bus = take<Gap>();
    EXPECT_EQ(bus.cause, Gap::Cause::bus);
    EXPECT_EQ(bus.lost_by[SWB_LOSS_FULL], 3u);
    EXPECT_EQ(conversation.cursor(), at(21));
}

TEST_F(ClientConversation, bye_is_handed_on) {
    go_live(10);
    const auto outcome = hear([&](std::string& out) { form.bye(out, {"restart", 1234, at(12)}); });
    EXPECT_EQ(outcome.bye, std::chrono::milliseconds(1234));
    EXPECT_EQ(conversation.cursor(), at(12));
}

TEST_F(ClientConversation, a_refused_pattern_is_final_and_a_bus_in_trouble_is_not) {
    conversation.opened();
    const auto refuse = [&](const char* code) { return *hear([&](std::string& out) { form.error(out, {1, code, "no"}); }).ending; };
    EXPECT_EQ(refuse("bad_pattern").kind, EndingClass::never);
    EXPECT_EQ(refuse("too_many_patterns").kind, EndingClass::never);
    EXPECT_EQ(refuse("bus").kind, EndingClass::back_off);
}

TEST_F(ClientConversation, another_version_of_the_protocol_is_final) {
    conversation.opened();
    flatbuffers::FlatBufferBuilder builder;
    builder.Align(8);
    const wire::Cursor cursor(kEpoch, 1);
    const auto hello = wire::CreateHello(builder, 2, 0, 0, &cursor);
    wire::FrameBuilder frame(builder);
    frame.add_control(hello.Union());
    frame.add_control_type(wire::Control::Hello);
    builder.FinishSizePrefixed(frame.Finish());
    const auto outcome = hear_bytes({reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()});
    EXPECT_EQ(outcome.ending->kind, EndingClass::never);
}

TEST_F(ClientConversation, rubbish_ends_the_connection_for_now) {
    for (const std::string& rubbish : {std::string("x"), std::string(64, '\xff'), std::string("{\"op\":\"hello\"}..")}) {
        conversation.opened();
        hear_hello(10);
        const auto outcome = hear_bytes(rubbish);
        ASSERT_TRUE(outcome.ending) << rubbish;
        EXPECT_EQ(outcome.ending->kind, EndingClass::back_off);
        conversation.closed();
    }
}

TEST_F(ClientConversation, no_cut_or_changed_byte_of_a_message_does_harm) {
    std::string message;
    form.hello(message, {"gateway", "bus", at(10), 30'000, 65'536, 64, true});
    form.subscribed(message, {1, {"a.*"}, gateway::Resume::live, gateway::ResetReason::none, at(10)});
    append_event(message, 11);
    form.gap(message, {at(20), 7, nullptr});
    form.bye(message, {"restart", 1234, at(12)});
    for (std::size_t i = 0; i < message.size(); ++i) {
        for (const int change : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
            std::string changed = message;
            changed[i] = static_cast<char>(changed[i] ^ change);
            if (change == 0) changed.resize(i);
            Conversation fresh({"a.*"}, false);
            fresh.opened();
            auto bytes = std::make_shared<MessageBytes>();
            bytes->append(std::as_bytes(std::span(changed)));
            fresh.message(bytes);
            for (const Received& received : fresh.queue()) {
                if (const auto* event = std::get_if<RemoteEvent>(&received)) {
                    EXPECT_LE(event->event.payload_bytes, message.size());
                }
            }
        }
    }
}

TEST_F(ClientConversation, nothing_comes_in_front_of_the_greeting) {
    conversation.opened();
    EXPECT_TRUE(hear_subscribed(gateway::Resume::live, 10).ending);
    EXPECT_TRUE(hear_events({11}).ending);
}

TEST_F(ClientConversation, knows_how_much_waits) {
    go_live(10);
    EXPECT_EQ(conversation.queued_bytes(), 0u);
    hear_events({11, 12});
    const std::size_t two = conversation.queued_bytes();
    EXPECT_GT(two, 0u);
    hear_events({13, 14});
    EXPECT_EQ(conversation.queued_bytes(), 2 * two);
    take_offsets();
    EXPECT_EQ(conversation.queued_bytes(), 0u);
}

class PublishingConversation : public ClientConversation {
protected:
    PublishingConversation() {
        publisher.opened();
        publisher.to_send().clear();
        std::string hello;
        form.hello(hello, {"gateway", "bus", at(1), 30'000, 1024, 64, true});
        EXPECT_TRUE(answer(hello).live);
    }
    Conversation::Outcome answer(const std::string& text) {
        auto bytes = std::make_shared<MessageBytes>();
        bytes->append(std::as_bytes(std::span(text)));
        return publisher.message(bytes);
    }
    std::int64_t publish(std::string_view payload) {
        return publisher.publish({"a.b", "me", "it", std::as_bytes(std::span(payload)), SWB_TEXT});
    }
    Conversation publisher{{}, false};
};

TEST_F(PublishingConversation, says_something_at_once_so_that_a_missing_token_shows) {
    publisher.opened();
    ASSERT_EQ(publisher.to_send().size(), 1u);
    EXPECT_TRUE(std::holds_alternative<gateway::HeartbeatCommand>(
        gateway::command_from_frame(std::as_bytes(std::span(publisher.to_send().front())))));
}

TEST_F(PublishingConversation, publishes_what_it_is_given) {
    const std::int64_t id = publish("hello");
    const auto command =
        std::get<gateway::PublishCommand>(gateway::command_from_frame(std::as_bytes(std::span(publisher.to_send().front()))));
    EXPECT_EQ(command.id, id);
    EXPECT_EQ(command.type, "a.b");
    EXPECT_EQ(command.source, "me");
    EXPECT_EQ(command.subject, "it");
    EXPECT_EQ(command.payload, "hello");
    EXPECT_EQ(command.encoding, static_cast<std::uint32_t>(SWB_TEXT));
}

TEST_F(PublishingConversation, answers_come_under_their_number) {
    const std::int64_t first = publish("1"), second = publish("2");
    std::string text;
    form.error(text, {second, "bad_payload", "no"});
    form.published(text, {first, 12, 3, 1});
    answer(text);
    const auto refused = std::get<PublishRefused>(publisher.queue().at(0));
    EXPECT_EQ(refused.id, second);
    EXPECT_EQ(refused.code, "bad_payload");
    const auto published = std::get<Published>(publisher.queue().at(1));
    EXPECT_EQ(published.id, first);
    EXPECT_EQ(published.sequence, 12u);
    EXPECT_EQ(published.delivered, 3u);
    EXPECT_EQ(published.dropped, 1u);
}

TEST_F(PublishingConversation, what_was_not_answered_is_told_when_the_connection_ends) {
    const std::int64_t id = publish("1");
    publisher.closed();
    EXPECT_EQ(std::get<PublishUnanswered>(publisher.queue().at(0)).id, id);
    EXPECT_TRUE(publisher.to_send().empty());
}

TEST_F(PublishingConversation, what_is_too_large_for_the_gateway_is_not_sent) {
    EXPECT_THROW(publish(std::string(1024, 'x')), std::length_error);
    EXPECT_TRUE(publisher.to_send().empty());
}

TEST_F(PublishingConversation, no_answer_is_taken_twice_or_for_what_was_not_asked) {
    const std::int64_t id = publish("1");
    std::string text;
    form.published(text, {id, 1, 0, 0});
    form.published(text, {id, 1, 0, 0});
    form.published(text, {id + 5, 1, 0, 0});
    answer(text);
    EXPECT_EQ(publisher.queue().size(), 1u);
}

}  // namespace
}  // namespace swarmbus::remote
