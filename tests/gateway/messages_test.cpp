// Messages in their forms.
#include <nlohmann/json.hpp>

#include <swarmbus/gateway_generated.h>

#include <algorithm>

#include "tests/gateway/gateway_fixture.hpp"

#include "ws_gateway/messages/event_json.hpp"
#include "ws_gateway/messages/flat_messages.hpp"
#include "ws_gateway/messages/json_messages.hpp"
#include "ws_gateway/messages/sse_messages.hpp"

namespace swarmbus::gateway {
namespace {

using nlohmann::json;

constexpr std::uint64_t kSecond = 1'000'000'000;

Record event(std::uint32_t encoding, std::string_view payload) {
    Record record;
    record.offset = 1041;
    record.time_ns = 1'767'225'600 * kSecond + 5;
    record.sequence = 12;
    record.writer = 65539;
    record.type_name = "agent.status.changed";
    record.source = "agent \"7\"";
    record.subject = "s";
    record.encoding = encoding;
    record.payload = payload;
    return record;
}

bool no_json(const swb_event&, std::string&) { return false; }

json json_of(const Record& record, PayloadToJson to_json = no_json) {
    std::string out;
    JsonEvents(std::move(to_json)).encode(record, out);
    EXPECT_EQ(out.front(), ',');
    return json::parse(out.substr(1));
}

TEST(EventJson, has_all_that_an_event_has) {
    const json expected = {{"type", "agent.status.changed"},
                           {"source", "agent \"7\""},
                           {"subject", "s"},
                           {"sequence", 12},
                           {"writer", 65539},
                           {"offset", 1041},
                           {"time", "2026-01-01T00:00:00.000000005Z"},
                           {"encoding", "text"},
                           {"payload", "hi"}};
    EXPECT_EQ(json_of(event(SWB_TEXT, "hi")), expected);
}

TEST(EventJson, has_each_payload_as_what_it_is) {
    const auto seven = [](const swb_event&, std::string& out) {
        out += "{\"n\":\n7}";
        return true;
    };
    EXPECT_EQ(json_of(event(SWB_FLATBUFFERS, "...."), seven)["payload"], (json{{"n", 7}}));
    EXPECT_EQ(json_of(event(SWB_JSON, "...."), seven)["payload"], (json{{"n", 7}}));
    EXPECT_EQ(json_of(event(SWB_BYTES, "n\xc3\xa9"))["payload"], "n\xc3\xa9");
    EXPECT_EQ(json_of(event(SWB_BYTES, "\xff"))["payload_base64"], "/w==");
    EXPECT_EQ(json_of(event(SWB_BYTES, "\xff"))["payload"], nullptr);
    EXPECT_EQ(json_of(event(SWB_FLATBUFFERS, "damaged"))["payload_base64"], "ZGFtYWdlZA==");
    EXPECT_EQ(json_of(event(77, "?"))["encoding"], "unknown");
    Record large = event(SWB_BYTES, "");
    large.omitted_bytes = 5'000'000;
    EXPECT_EQ(json_of(large)["payload"], nullptr);
    EXPECT_EQ(json_of(large)["omitted_bytes"], 5'000'000);
}

TEST(EventJson, times_are_right_from_second_to_second) {
    JsonEvents events(no_json);
    for (const auto& [ns, text] :
         {std::pair{kSecond - 1, "1970-01-01T00:00:00.999999999Z"}, std::pair{kSecond, "1970-01-01T00:00:01.000000000Z"},
          std::pair{86'400 * kSecond + 120, "1970-01-02T00:00:00.000000120Z"}}) {
        Record record = event(SWB_TEXT, "");
        record.time_ns = ns;
        std::string out;
        events.encode(record, out);
        EXPECT_EQ(json::parse(out.substr(1))["time"], text);
    }
}

TEST(SseMessages, hold_an_event_in_one_line_behind_its_cursor) {
    std::string out;
    SseEvents(0xabc, no_json).encode(event(SWB_TEXT, "two\nlines"), out);
    EXPECT_TRUE(out.starts_with("id: 0000000000000abc-1041\ndata: {\"type\":")) << out;
    EXPECT_TRUE(out.ends_with("}\n\n"));
    EXPECT_EQ(std::ranges::count(out, '\n'), 3);
}

TEST(SseMessages, name_what_is_no_event) {
    SseMessages form;
    std::string out;
    form.gap(out, {{0xabc, 7}, 12, nullptr});
    EXPECT_EQ(out, "id: 0000000000000abc-7\nevent: gap\ndata: {\"cursor\":\"0000000000000abc-7\",\"missed\":12,\"cause\":\"slow\"}\n\n");
    out.clear();
    form.heartbeat(out, Cursor{0xabc, 7});
    EXPECT_EQ(out, ": heartbeat\nid: 0000000000000abc-7\n\n");
    out.clear();
    form.bye(out, {"restart", 1500, Cursor{0xabc, 7}});
    EXPECT_TRUE(out.starts_with("retry: 1500\nid: ")) << out;
    out.clear();
    form.snapshot(out, {{}, true, true, {}});
    EXPECT_EQ(out, "event: snapshot\ndata: {\"events\":[],\"complete\":true,\"more\":true}\n\n") << "nobody can come back to a part";
}

TEST(JsonMessages, are_as_documented) {
    JsonMessages form;
    const auto written = [&](auto&& write) {
        std::string out;
        write(out);
        return json::parse(out);
    };
    const Cursor cursor{0xabc, 7};
    const std::string at = "0000000000000abc-7";
    EXPECT_EQ(written([&](std::string& out) {
                  form.hello(out, {"server 1", "default", cursor, 30000, 65536, 64, true});
              }),
              (json{{"op", "hello"},
                    {"protocol", 1},
                    {"server", "server 1"},
                    {"bus", "default"},
                    {"epoch", "0000000000000abc"},
                    {"cursor", at},
                    {"heartbeat_ms", 30000},
                    {"publish", true},
                    {"limits", {{"message_bytes", 65536}, {"patterns", 64}}}}));
    EXPECT_EQ(
        written([&](std::string& out) {
            form.subscribed(out, {5, {"a.*", "b"}, Resume::reset, ResetReason::expired, cursor});
        }),
        (json{{"op", "subscribed"}, {"id", 5}, {"patterns", {"a.*", "b"}}, {"resume", "reset"}, {"reason", "expired"}, {"cursor", at}}));
    EXPECT_EQ(written([&](std::string& out) {
                  form.subscribed(out, {{}, {}, Resume::live, ResetReason::none, cursor});
              }),
              (json{{"op", "subscribed"}, {"patterns", json::array()}, {"resume", "live"}, {"cursor", at}}));
    EXPECT_EQ(written([&](std::string& out) {
                  form.snapshot(out, {{",1", ",2"}, false, true, cursor});
              }),
              (json{{"op", "snapshot"}, {"events", {1, 2}}, {"complete", false}, {"more", true}, {"cursor", at}}));
    Batch batch;
    batch.pieces = {",1,2", ",3"};
    EXPECT_EQ(written([&](std::string& out) { form.events(out, batch, cursor); }),
              (json{{"op", "events"}, {"cursor", at}, {"events", {1, 2, 3}}}));
    BusLoss reopened{.by_cause = {}, .reattached = true};
    EXPECT_EQ(written([&](std::string& out) {
                  form.gap(out, {cursor, 0, &reopened});
              }),
              (json{{"op", "gap"}, {"cursor", at}, {"missed", 0}, {"cause", "bus_reopened"}, {"lost_by", json::object()}}));
    EXPECT_EQ(written([&](std::string& out) {
                  form.published(out, {2, 12, 3, 0});
              }),
              (json{{"op", "published"}, {"id", 2}, {"sequence", 12}, {"delivered", 3}, {"dropped", 0}}));
    EXPECT_EQ(written([&](std::string& out) {
                  form.error(out, {{}, "bad_pattern", "a \"quote\""});
              }),
              (json{{"op", "error"}, {"code", "bad_pattern"}, {"message", "a \"quote\""}}));
    EXPECT_EQ(written([&](std::string& out) { form.heartbeat(out, cursor); }), (json{{"op", "heartbeat"}, {"cursor", at}}));
    EXPECT_EQ(written([&](std::string& out) {
                  form.bye(out, {"restart", 1234, cursor});
              }),
              (json{{"op", "bye"}, {"reason", "restart"}, {"retry_after_ms", 1234}, {"cursor", at}}));
}

// The frames of a message, each verified.
std::vector<const wire::Frame*> frames_of(const std::string& message) {
    std::vector<const wire::Frame*> frames;
    for (std::size_t at = 0; at < message.size();) {
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(message.data() + at);
        const std::size_t size = flatbuffers::ReadScalar<flatbuffers::uoffset_t>(bytes) + 4;
        EXPECT_EQ(size % 8, 0u);
        flatbuffers::Verifier verifier(bytes, size);
        EXPECT_TRUE(wire::VerifySizePrefixedFrameBuffer(verifier));
        frames.push_back(wire::GetSizePrefixedFrame(bytes));
        at += size;
    }
    return frames;
}

TEST(FlatMessages, are_frames_in_a_row_with_aligned_payloads) {
    FlatEvents events;
    std::string out;
    const std::string payload(128, 'p');
    for (std::size_t bytes : {0, 1, 7, 128}) events.encode(event(SWB_FLATBUFFERS, std::string_view(payload).substr(0, bytes)), out);
    const std::size_t one = out.size();
    const auto frames = frames_of(out);
    ASSERT_EQ(frames.size(), 4u);
    const wire::Frame& frame = *frames[3];
    EXPECT_EQ(frame.stamp()->offset(), 1041u);
    EXPECT_EQ(frame.stamp()->sequence(), 12u);
    EXPECT_EQ(frame.stamp()->writer(), 65539u);
    EXPECT_EQ(frame.stamp()->encoding(), wire::Encoding::Flatbuffers);
    EXPECT_EQ(frame.type()->string_view(), "agent.status.changed");
    EXPECT_EQ(frame.source()->string_view(), "agent \"7\"");
    EXPECT_EQ(frame.payload()->size(), 128u);
    EXPECT_EQ((frame.payload()->data() - reinterpret_cast<const std::uint8_t*>(out.data())) % 8, 0);
    EXPECT_EQ(frames[0]->payload(), nullptr);
    EXPECT_EQ(one, out.size());
}

TEST(FlatMessages, are_as_documented) {
    FlatMessages form;
    std::string out;
    form.subscribed(out, {5, {"a.*", "b"}, Resume::reset, ResetReason::ahead, Cursor{0xabc, 7}});
    form.gap(out, {{0xabc, 7}, 12, nullptr});
    form.bye(out, {"restart", 1234, Cursor{0xabc, 7}});
    const auto frames = frames_of(out);
    ASSERT_EQ(frames.size(), 3u);
    const auto* subscribed = frames[0]->control_as<wire::Subscribed>();
    EXPECT_EQ(subscribed->id().value(), 5);
    EXPECT_EQ(subscribed->patterns()->Get(1)->string_view(), "b");
    EXPECT_EQ(subscribed->resume(), wire::Resume::Reset);
    EXPECT_EQ(subscribed->reason(), wire::ResetReason::Ahead);
    EXPECT_EQ(subscribed->cursor()->epoch(), 0xabcu);
    EXPECT_EQ(frames[1]->control_as<wire::Gap>()->missed(), 12u);
    EXPECT_EQ(frames[2]->control_as<wire::Bye>()->retry_after_ms(), 1234u);
    EXPECT_EQ(frames[2]->stamp(), nullptr);
}

}  // namespace
}  // namespace swarmbus::gateway
