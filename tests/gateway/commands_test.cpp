// What clients say, in either form and in queries.
#include <gtest/gtest.h>

#include <algorithm>

#include <swarmbus/gateway_generated.h>

#include "ws_gateway/server/commands.hpp"
#include "ws_gateway/server/request.hpp"

namespace swarmbus::gateway {
namespace {

template <typename Expected>
Expected read(std::string_view text) {
    return std::get<Expected>(command_from_json(text));
}

std::string fault_of(std::string_view text) {
    try {
        command_from_json(text);
        return "none";
    } catch (const CommandError& e) {
        return std::string(e.code()) + ": " + e.what();
    }
}

TEST(JsonCommands, hold_what_they_say) {
    const auto subscribe = read<SubscribeCommand>(
        R"({"op":"subscribe","id":7,"patterns":["a.*","b"],"since":"00000000000000ab-12","snapshot":true,"batch_ms":100,"coalesce":true,"max_rate":5})");
    EXPECT_EQ(subscribe.id, 7);
    EXPECT_EQ(subscribe.subscription.patterns, (Patterns{"a.*", "b"}));
    EXPECT_EQ(subscribe.subscription.since, (Cursor{0xab, 12}));
    EXPECT_TRUE(subscribe.subscription.snapshot);
    EXPECT_EQ(subscribe.subscription.batch, std::chrono::milliseconds(100));
    EXPECT_EQ(subscribe.subscription.coalesce, true);
    EXPECT_EQ(subscribe.subscription.max_rate, 5u);
    const auto plain = read<SubscribeCommand>(R"({"op":"subscribe","patterns":["a"],"since":null})");
    EXPECT_FALSE(plain.id || plain.subscription.since || plain.subscription.batch || plain.subscription.coalesce ||
                 plain.subscription.snapshot);
    EXPECT_EQ(read<AuthCommand>(R"({"op":"auth","token":"t"})").token, "t");
    EXPECT_EQ(read<UnsubscribeCommand>(R"({"op":"unsubscribe","patterns":["a"]})").patterns, Patterns{"a"});
    read<HeartbeatCommand>(R"({"op":"heartbeat"})");
}

TEST(JsonCommands, publish_a_payload_with_every_digit_as_it_was_written) {
    const auto publish = read<PublishCommand>(
        R"( {"payload" : {"big":18446744073709551615,"real":0.1000,"text":"a \"}\" ,","list":[1,{"x":[]}]} ,"op":"publish","type":"a.b","subject":"s","source":"me"})");
    EXPECT_EQ(publish.payload, R"({"big":18446744073709551615,"real":0.1000,"text":"a \"}\" ,","list":[1,{"x":[]}]})");
    EXPECT_EQ(publish.encoding, static_cast<std::uint32_t>(SWB_JSON));
    EXPECT_EQ(publish.type, "a.b");
    EXPECT_EQ(publish.subject, "s");
    EXPECT_EQ(publish.source, "me");
    EXPECT_EQ(read<PublishCommand>(R"({"op":"publish","type":"a.b"})").payload, "{}");
    EXPECT_EQ(read<PublishCommand>(R"({"op":"publish","type":"a.b","payload":7})").payload, "7");
    EXPECT_EQ(read<PublishCommand>(R"({"type":"a.b","x":{"payload":1},"payload":[2],"op":"publish"})").payload, "[2]");
}

TEST(JsonCommands, publish_texts_and_bytes) {
    const auto text = read<PublishCommand>(R"({"op":"publish","type":"a.b","encoding":"text","payload":"n\u00e9"})");
    EXPECT_EQ(text.payload, "n\xc3\xa9");
    EXPECT_EQ(text.encoding, static_cast<std::uint32_t>(SWB_TEXT));
    const auto bytes = read<PublishCommand>(R"({"op":"publish","type":"a.b","payload_base64":"/w=="})");
    EXPECT_EQ(bytes.payload, "\xff");
    EXPECT_EQ(bytes.encoding, static_cast<std::uint32_t>(SWB_BYTES));
    for (const auto& [base64, plain] : {std::pair{"YQ==", "a"}, std::pair{"YWI=", "ab"}, std::pair{"YWJj", "abc"}}) {
        EXPECT_EQ(read<PublishCommand>(R"({"op":"publish","type":"a.b","payload_base64":")" + std::string(base64) + "\"}").payload, plain);
    }
}

TEST(JsonCommands, that_are_none_say_why) {
    EXPECT_EQ(fault_of("[]"), "bad_message: the message is no JSON object");
    EXPECT_EQ(fault_of("{}"), "bad_message: the message has no 'op'");
    EXPECT_EQ(fault_of(R"({"op":"fly"})"), "bad_message: there is no 'op' of that name");
    EXPECT_EQ(fault_of(R"({"op":"subscribe"})"), "bad_message: 'patterns' is not a list of texts");
    EXPECT_EQ(fault_of(R"({"op":"subscribe","patterns":["a"],"since":"yesterday"})"), "bad_cursor: 'yesterday' is no cursor");
    EXPECT_EQ(fault_of(R"({"op":"subscribe","patterns":["a"],"batch_ms":-1})"),
              "bad_message: 'batch_ms' is not a whole number from 0 to 60000");
    EXPECT_EQ(fault_of(R"({"op":"subscribe","id":"x","patterns":["a"]})"), "bad_message: 'id' is no whole number");
    EXPECT_EQ(fault_of(R"({"op":"publish"})"), "bad_message: 'type' is not there");
    EXPECT_EQ(fault_of(R"({"op":"publish","type":"a.b\u0000c"})"), "bad_message: 'type' is not a text without NUL");
    for (const char* base64 : {"a", "====", "YQ=x", "YQ", "=YQ="}) {
        EXPECT_TRUE(fault_of(R"({"op":"publish","type":"a.b","payload_base64":")" + std::string(base64) + "\"}").starts_with("bad_message"))
            << base64;
    }
    EXPECT_TRUE(fault_of("rubbish").starts_with("bad_message"));
}

TEST(Publications, are_one_or_a_list) {
    EXPECT_EQ(publications_from_json(R"({"type":"a.b","payload":1})").size(), 1u);
    const auto list = publications_from_json(R"( [ {"type":"a.b","payload":{"n":[1,2]}} , {"type":"a.c","payload":"]"} ] )");
    ASSERT_EQ(list.size(), 2u);
    EXPECT_EQ(list[0].payload, R"({"n":[1,2]})");
    EXPECT_EQ(list[1].type, "a.c");
    EXPECT_EQ(list[1].payload, R"("]")");
    EXPECT_TRUE(publications_from_json("[]").empty());
    EXPECT_THROW(publications_from_json("7"), CommandError);
    EXPECT_THROW(publications_from_json("[7]"), CommandError);
}

template <typename Table>
std::string frame_of(Table table) {
    flatbuffers::FlatBufferBuilder builder;
    builder.Align(8);
    wire::FrameT frame;
    frame.control.Set(std::move(table));
    builder.FinishSizePrefixed(wire::Frame::Pack(builder, &frame));
    return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

Command read_frame(const std::string& frame) { return command_from_frame(std::as_bytes(std::span(frame))); }

TEST(FrameCommands, hold_what_they_say) {
    wire::SubscribeT subscribe;
    subscribe.id = 7;
    subscribe.patterns = {"a.*", "b"};
    subscribe.since = std::make_unique<wire::Cursor>(0xab, 12);
    subscribe.batch_ms = 100;
    const auto read = std::get<SubscribeCommand>(read_frame(frame_of(std::move(subscribe))));
    EXPECT_EQ(read.id, 7);
    EXPECT_EQ(read.subscription.patterns, (Patterns{"a.*", "b"}));
    EXPECT_EQ(read.subscription.since, (Cursor{0xab, 12}));
    EXPECT_EQ(read.subscription.batch, std::chrono::milliseconds(100));
    EXPECT_FALSE(read.subscription.coalesce);
    wire::PublishT publish;
    publish.type = "a.b";
    publish.payload = {1, 2, 3};
    publish.encoding = wire::Encoding::Flatbuffers;
    const auto published = std::get<PublishCommand>(read_frame(frame_of(std::move(publish))));
    EXPECT_EQ(published.payload, "\1\2\3");
    EXPECT_EQ(published.encoding, static_cast<std::uint32_t>(SWB_FLATBUFFERS));
    wire::AuthT auth;
    auth.token = "t";
    EXPECT_EQ(std::get<AuthCommand>(read_frame(frame_of(std::move(auth)))).token, "t");
    EXPECT_TRUE(std::holds_alternative<HeartbeatCommand>(read_frame(frame_of(wire::HeartbeatT()))));
}

TEST(FrameCommands, have_the_limits_that_json_has) {
    const auto subscribe_with = [](std::uint32_t batch_ms, std::uint32_t rate) {
        wire::SubscribeT subscribe;
        subscribe.id = 7;
        subscribe.patterns = {"a"};
        subscribe.batch_ms = batch_ms;
        subscribe.max_rate = rate;
        return std::get<SubscribeCommand>(read_frame(frame_of(std::move(subscribe)))).subscription;
    };
    EXPECT_EQ(subscribe_with(kLongestBatchMs, kMostRate).max_rate, kMostRate);
    for (const auto& [batch_ms, rate] : {std::pair{kLongestBatchMs + 1, 1u}, std::pair{0u, kMostRate + 1}}) {
        try {
            subscribe_with(batch_ms, rate);
            ADD_FAILURE() << batch_ms << " " << rate;
        } catch (const CommandError& e) {
            EXPECT_STREQ(e.code(), "bad_message");
            EXPECT_EQ(e.id(), 7);
        }
    }
}

TEST(FrameCommands, that_are_damaged_or_not_for_the_gateway_are_refused) {
    wire::SubscribeT subscribe;
    subscribe.patterns = {"a.*", "b"};
    const std::string whole = frame_of(std::move(subscribe));
    for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) EXPECT_THROW(read_frame(whole.substr(0, bytes)), CommandError) << bytes;
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (const int bits : {0x01, 0x80, 0xff}) {
            std::string damaged = whole;
            damaged[at] = static_cast<char>(damaged[at] ^ bits);
            try {
                read_frame(damaged);
            } catch (const CommandError&) {
                // Any other outcome than an error or a command is one for the sanitizers.
            }
        }
    }
    EXPECT_THROW(read_frame(frame_of(wire::HelloT())), CommandError);
}

TEST(Patterns, are_checked_with_their_position) {
    EXPECT_NO_THROW(check_patterns({"agent.*", ">"}, 2, {}));
    EXPECT_THROW(check_patterns({"a", "b", "c"}, 2, {}), CommandError);
    try {
        check_patterns({"agent..x"}, 2, 5);
        FAIL();
    } catch (const CommandError& e) {
        EXPECT_NE(std::string(e.what()).find("position 6"), std::string::npos) << e.what();
        EXPECT_EQ(e.id(), 5);
    }
}

TEST(Queries, give_patterns_singly_or_with_commas) {
    Request request;
    request.query = {split_parameter("pattern=a.*,b.+.c"), split_parameter("pattern=d"),    split_parameter("since=00000000000000ab-1"),
                     split_parameter("snapshot=1"),        split_parameter("batch_ms=100"), split_parameter("other")};
    const Subscription wanted = subscription_in(request).subscription;
    EXPECT_EQ(wanted.patterns, (Patterns{"a.*", "b.+.c", "d"}));
    EXPECT_EQ(wanted.since, (Cursor{0xab, 1}));
    EXPECT_TRUE(wanted.snapshot);
    EXPECT_EQ(wanted.batch, std::chrono::milliseconds(100));
    request.last_event_id = "00000000000000ab-9";
    EXPECT_EQ(subscription_in(request).subscription.since, (Cursor{0xab, 9})) << "browsers send it when they come back";
}

TEST(Queries, that_are_wrong_are_refused) {
    for (const char* parameter : {"since=x", "snapshot=2", "batch_ms=-1", "batch_ms=1x", "max_rate=99999999999", "coalesce=yes"}) {
        Request request;
        request.query = {split_parameter("pattern=a"), split_parameter(parameter)};
        EXPECT_THROW(subscription_in(request), CommandError) << parameter;
    }
}

}  // namespace
}  // namespace swarmbus::gateway
