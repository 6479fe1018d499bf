// Events as CloudEvents, and CloudEvents as events (docs/cloudevents.md), without a bus.
#include <gtest/gtest.h>

#include <flatbuffers/flexbuffers.h>

#include <cstring>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "src/types/cloud_event_reader.hpp"
#include "src/types/cloud_event_writer.hpp"
#include "tests/types/schemas.hpp"

namespace swarmbus::core {
namespace {

using namespace std::literals;
using nlohmann::json;

// 2026-11-26T13:03:22.123456789Z
constexpr std::uint64_t kTime = 1795698202123456789ull;

const RegisteredType& task_failed() {
    static const RegisteredType type({.type = "task.failed", .root = "swarmbus.events.TaskFailed", .hash = 0xabc}, events_binary());
    return type;
}

std::string written(std::uint32_t encoding, std::string_view payload, const RegisteredType* type = nullptr, const char* source = "agent-7",
                    const char* subject = "") {
    swb_event event{};
    event.size = sizeof event;
    event.type = "task.failed";
    event.source = source;
    event.subject = subject;
    event.sequence = 42;
    event.writer = 3;
    event.time_ns = kTime;
    event.payload = payload.data();
    event.payload_bytes = payload.size();
    event.encoding = encoding;
    CloudEventWriter writer;
    return std::string(writer.write(event, type));
}

json event_of(std::uint32_t encoding, std::string_view payload, const RegisteredType* type = nullptr) {
    return json::parse(written(encoding, payload, type));
}

std::string_view text_of(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

struct Read {
    std::string type, source, subject, data;
    CloudEvent::Data kind;
};

Read read(std::string_view text) {
    CloudEventReader reader;
    const CloudEvent& event = reader.read(text);
    return {event.type, event.source, event.subject, std::string(event.data), event.kind};
}

// A CloudEvent with these members more.
std::string with(const std::string& members) {
    return R"({"specversion":"1.0","id":"1","source":"/s","type":"a.b")" + (members.empty() ? "" : "," + members) + "}";
}

// What refuses a CloudEvent; "" if nothing does.
std::string refusal(std::string_view text) {
    try {
        read(text);
    } catch (const Error& e) {
        EXPECT_TRUE(e.code() == SWB_ERR_PAYLOAD || e.code() == SWB_ERR_TYPE_NAME) << e.what();
        return e.what();
    }
    return {};
}

TEST(CloudEvent, has_the_attributes_of_its_event_in_one_line) {
    EXPECT_EQ(written(SWB_TEXT, "hello\n", nullptr, "agent 7", "t-1"),
              R"({"specversion":"1.0","id":"18eb9a0035605115-3-42","source":"agent%207","type":"task.failed",)"
              R"("time":"2026-11-26T13:03:22.123456789Z","subject":"t-1","datacontenttype":"text/plain;charset=utf-8","data":"hello\n"})");
}

TEST(CloudEvent, without_a_subject_has_no_such_attribute) { EXPECT_FALSE(event_of(SWB_TEXT, "x").contains("subject")); }

TEST(CloudEvent, whose_source_can_not_be_told_says_so) {
    EXPECT_EQ(json::parse(written(SWB_TEXT, "x", nullptr, ""))["source"], "urn:swarmbus:unknown");
    EXPECT_EQ(json::parse(written(SWB_TEXT, "x", nullptr, nullptr))["source"], "urn:swarmbus:unknown");
}

TEST(CloudEvent, of_a_flatbuffer_has_its_json_and_names_the_schema) {
    const Bytes payload = payload_of(task_failed().schema, R"({"task_id":"t-1","metadata":{"tries":[1,2.5]}})");
    const json event = event_of(SWB_FLATBUFFERS, text_of(payload), &task_failed());
    EXPECT_EQ(event["datacontenttype"], "application/json");
    EXPECT_EQ(event["dataschema"], "urn:swarmbus:schema:task.failed:0000000000000abc");
    EXPECT_EQ(event["data"], json::parse(R"({"task_id":"t-1","metadata":{"tries":[1,2.5]}})"));
}

TEST(CloudEvent, of_a_payload_that_is_not_what_it_says_has_its_bytes) {
    for (const std::uint32_t encoding : {SWB_FLATBUFFERS, SWB_FLEXBUFFERS, SWB_JSON, SWB_TEXT}) {
        const json event = event_of(encoding, "\xff{\x01", &task_failed());
        EXPECT_EQ(event["datacontenttype"], "application/octet-stream");
        EXPECT_EQ(event["data_base64"], "/3sB");
        EXPECT_FALSE(event.contains("data") || event.contains("dataschema"));
    }
    EXPECT_EQ(event_of(SWB_FLATBUFFERS, "text?", nullptr)["data_base64"], "dGV4dD8=") << "of a type without a schema";
    for (const std::string& text : {""s, "{"s, "1 2"s, "1\0"s, R"("\ud800")"s, "1e400"s, std::string(64, '[') + std::string(64, ']')}) {
        EXPECT_TRUE(event_of(SWB_JSON, text).contains("data_base64")) << text;
    }
}

TEST(CloudEvent, of_a_flexbuffer_has_what_it_holds) {
    flexbuffers::Builder builder;
    builder.Map([&] { builder.Int("n", -7); });
    builder.Finish();
    const std::string payload(builder.GetBuffer().begin(), builder.GetBuffer().end());
    EXPECT_EQ(event_of(SWB_FLEXBUFFERS, payload)["data"], json::parse(R"({"n":-7})"));
}

TEST(CloudEvent, of_json_has_it_as_it_was_written_in_one_line) {
    EXPECT_NE(written(SWB_JSON, "{\r\n \"a\": 12345678901234567890.10,\n\"a\":1e300}")
                  .find(R"("data":{   "a": 12345678901234567890.10, "a":1e300})"),
              std::string::npos);
    const std::string deepest = std::string(63, '[') + std::string(63, ']');
    EXPECT_EQ(event_of(SWB_JSON, deepest)["data"].dump(), deepest);
    EXPECT_EQ(event_of(SWB_JSON, "null")["data"], json());
    EXPECT_TRUE(event_of(SWB_JSON, "null").contains("data"));
}

TEST(CloudEvent, of_bytes_has_them_as_base64_and_without_any_has_no_data) {
    EXPECT_EQ(event_of(SWB_BYTES, "text?")["data_base64"], "dGV4dD8=");
    const json empty = event_of(SWB_BYTES, "");
    EXPECT_FALSE(empty.contains("data") || empty.contains("data_base64") || empty.contains("datacontenttype"));
    EXPECT_EQ(event_of(SWB_TEXT, "")["data"], "");
}

TEST(CloudEvent, of_an_event_whose_texts_are_not_utf8_is_valid) {
    const json event = json::parse(written(SWB_TEXT, "\0\x1f é 漢 😀"s, nullptr, "s\xff", "s\xff"));
    EXPECT_EQ(event["data"], "\0\x1f é 漢 😀"s);
    EXPECT_EQ(event["source"], "s%FF");
    EXPECT_EQ(event["subject"], "s\xef\xbf\xbd");
}

TEST(CloudEvent, comes_back_as_the_event_it_was) {
    const Bytes typed = payload_of(task_failed().schema, R"({"task_id":"t-1"})");
    for (const auto& [encoding, payload, kind, data] :
         {std::tuple{SWB_TEXT, "größe \"\\\n"s, CloudEvent::Data::text, "größe \"\\\n"s},
          {SWB_TEXT, ""s, CloudEvent::Data::text, ""s},
          {SWB_BYTES, "\0\xff"s, CloudEvent::Data::bytes, "\0\xff"s},
          {SWB_BYTES, ""s, CloudEvent::Data::none, ""s},
          {SWB_JSON, R"({"a":[1.10,"x"]})"s, CloudEvent::Data::json, R"({"a":[1.10,"x"]})"s},
          {SWB_JSON, "null"s, CloudEvent::Data::json, "null"s},
          {SWB_FLATBUFFERS, std::string(text_of(typed)), CloudEvent::Data::json, R"({"task_id":"t-1"})"s}}) {
        for (const char* source : {"agent-7", "a b%20/é:7", "\x01\xff", "http://[::1]:80/?q#f"}) {
            const Read event = read(written(encoding, payload, &task_failed(), source, "sübject \"1\""));
            EXPECT_EQ(event.type, "task.failed");
            EXPECT_EQ(event.source, source);
            EXPECT_EQ(event.subject, "sübject \"1\"");
            EXPECT_EQ(event.kind, kind);
            EXPECT_EQ(event.data, data);
        }
    }
}

TEST(CloudEventReader, takes_the_json_as_it_was_written) {
    const Read event = read(
        " { \"data\" : {\"n\": 12345678901234567890.10, \"s\":\"}\\\",\"} ,\n\"type\":\"a.b\", \"source\":\"\\u002fs\", \"id\":\"1\", "
        "\"specversion\":\"1.0\"}\n");
    EXPECT_EQ(event.data, "{\"n\": 12345678901234567890.10, \"s\":\"}\\\",\"}");
    EXPECT_EQ(event.source, "/s");
}

TEST(CloudEventReader, goes_by_the_content_type) {
    using enum CloudEvent::Data;
    for (const auto& [members, kind, data] : {std::tuple{R"("data":"x")", json, R"("x")"},
                                              {R"("data":null)", json, "null"},
                                              {R"("datacontenttype":null,"data":[1])", json, "[1]"},
                                              {R"("datacontenttype":"application/json","data":{"a":1})", json, R"({"a":1})"},
                                              {R"("datacontenttype":"Application/Vnd.X+JSON ; a=b","data":"x")", json, R"("x")"},
                                              {R"("datacontenttype":"text/json","data":1)", json, "1"},
                                              {R"("datacontenttype":"text/plain","data":"x\n")", text, "x\n"},
                                              {R"("datacontenttype":"application/xml","data":"<x/>")", text, "<x/>"},
                                              {R"("datacontenttype":"text/plain","data":"")", text, ""},
                                              {R"("datacontenttype":"text/plain","data":null)", none, ""},
                                              {R"("datacontenttype":"text/plain")", none, ""},
                                              {R"("datacontenttype":"text/plain","data_base64":"w6k=")", text, "é"},
                                              {R"("datacontenttype":"text/plain","data_base64":"/w==")", bytes, "\xff"},
                                              {R"("datacontenttype":"application/json","data_base64":"WzFd")", json, "[1]"},
                                              {R"("datacontenttype":"image/png","data_base64":"/w==")", bytes, "\xff"},
                                              {R"("data_base64":"WzFd")", bytes, "[1]"},
                                              {R"("data_base64":"")", bytes, ""},
                                              {R"("data_base64":null,"data":1)", json, "1"},
                                              {R"("datacontenttype":"json","data":"x")", text, "x"},
                                              {"", none, ""}}) {
        const Read event = read(with(members));
        EXPECT_EQ(event.kind, kind) << members;
        EXPECT_EQ(event.data, data) << members;
    }
}

TEST(CloudEventReader, leaves_out_what_a_bus_has_no_place_for) {
    const Read event = read(with(
        R"("time":"1999-01-01T00:00:00Z","dataschema":"http://x/y","traceparent":"00-1","n":5,"flag":true,"gone":null,"subject":"s")"));
    EXPECT_EQ(event.subject, "s");
    EXPECT_EQ(read(with(R"("subject":null)")).subject, "");
}

TEST(CloudEventReader, refuses_what_is_no_cloudevent_and_says_why) {
    for (const auto& [text, why] : {std::pair{""s, "no valid JSON at position 0"s},
                                    {"{"s, "no valid JSON at position 1"s},
                                    {with("") + "\0x"s, "a zero is no part of it"s},
                                    {with("") + "x", "no valid JSON at position"s},
                                    {"[]"s, "a CloudEvent is a JSON object"s},
                                    {"\"x\""s, "a CloudEvent is a JSON object"s},
                                    {R"({"id":"1","source":"s","type":"a.b"})"s, "specversion: it is missing"s},
                                    {R"({"specversion":"0.3","id":"1","source":"s","type":"a.b"})"s, "specversion: only 1.0"s},
                                    {R"({"specversion":1.0,"id":"1","source":"s","type":"a.b"})"s, "specversion: it is no text"s},
                                    {R"({"specversion":"1.0","source":"s","type":"a.b"})"s, "id: it is missing"s},
                                    {R"({"specversion":"1.0","id":"","source":"s","type":"a.b"})"s, "id: it is missing or empty"s},
                                    {R"({"specversion":"1.0","id":"1","source":null,"type":"a.b"})"s, "source: it is missing"s},
                                    {R"({"specversion":"1.0","id":"1","source":"s"})"s, "type: it is missing"s},
                                    {R"({"specversion":"1.0","id":"1","source":"s","type":"com.Example"})"s,
                                     "'com.Example': position 4: 'E' is not one of a-z 0-9 _ - ."s},
                                    {R"({"specversion":"1.0","id":"1","source":"s","type":"a\u0000b"})"s, "type: it holds a zero"s},
                                    {R"({"specversion":"1.0","id":"1","source":"%00","type":"a.b"})"s, "source: it holds a zero"s},
                                    {with(R"("subject":"\u0000")"), "subject: it holds a zero"s},
                                    {with(R"("subject":["s"])"), "subject: it is no text"s},
                                    {with(R"("subject":"\udc00")"), "half a surrogate pair"s},
                                    {with(R"("type":"a.b")"), "type: it is there twice"s},
                                    {with(R"("x":1,"y":2,"x":1)"), "x: it is there twice"s},
                                    {with(R"("data":1,"data_base64":"")"), "both data and data_base64"s},
                                    {with(R"("data_base64":"x")"), "data_base64: it is no base64"s},
                                    {with(R"("data_base64":1)"), "data_base64: it is no text"s},
                                    {with(R"("datacontenttype":"text/plain","data":1)"), "data: it is no text"s},
                                    {with(R"("datacontenttype":1)"), "datacontenttype: it is no text"s},
                                    {with("\"data\":" + std::string(100000, '[')), "lie within each other"s},
                                    {with("\"subject\":\"\xff\""), "no valid JSON at position"s}}) {
        EXPECT_NE(refusal(text).find(why), std::string::npos) << text << "\n" << refusal(text);
    }
}

TEST(CloudEventReader, cut_short_anywhere_is_refused) {
    const std::string whole = with(R"("data":{"a":[1,"x"]},"subject":"é")");
    for (std::size_t length = 0; length < whole.size(); ++length) EXPECT_NE(refusal(whole.substr(0, length)), "") << length;
}

TEST(CloudEventReader, finds_the_events_of_a_batch) {
    EXPECT_EQ(cloud_events_of(" [ {\"a\":1} ,{} ,\n\"x\"] "), (std::vector<std::string_view>{"{\"a\":1}", "{}", "\"x\""}));
    EXPECT_EQ(cloud_events_of("[]"), std::vector<std::string_view>());
    EXPECT_EQ(cloud_events_of("{}"), std::vector<std::string_view>{"{}"});
    EXPECT_EQ(cloud_events_of("[[1,[2]],3]"), (std::vector<std::string_view>{"[1,[2]]", "3"}));
    EXPECT_THROW(cloud_events_of("[1,]"), Error);
}

}  // namespace
}  // namespace swarmbus::core
