// JSON in, event, JSON out: exact, or refused with the field named (peers 15).
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "tests/types/everything_generated.h"
#include "tests/types/schemas.hpp"

namespace swarmbus::core {
namespace {

using namespace std::literals;

// A payload made by generated code.
Bytes built(const everything::EventT& event) {
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(everything::Event::Pack(builder, &event));
    const auto bytes = std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
    return {bytes.begin(), bytes.end()};
}

const everything::Event& root_of(const Bytes& payload) { return *flatbuffers::GetRoot<everything::Event>(payload.data()); }

TEST(Json, of_every_kind_of_field_comes_back_as_it_was) {
    for (
        const std::string& json : {
            R"({})"s,
            R"({"truth":true,"int8":-128,"uint8":255,"int16":-32768,"uint16":65535,"int32":-2147483648,"uint32":4294967295})"s,
            R"({"int64":-9223372036854775808,"uint64":18446744073709551615})"s,
            R"({"int64":9223372036854775807,"uint64":9007199254740993})"s,
            R"({"real32":0.1,"real64":0.1})"s,
            R"({"real32":3.4028235e+38,"real64":1.7976931348623157e+308})"s,
            R"({"real64":5e-324})"s,
            R"({"real64":-0})"s,
            R"({"colour":"Red","access":"Read Run"})"s,
            R"({"colour":77,"access":"Write"})"s,
            R"({"text":"","leaf":{},"branch":{"leaves":[]},"texts":["",""],"leaves":[{}]})"s,
            R"({"text":"a\"b\\c\n\u0001 é 漢 😀"})"s,
            R"({"leaf":{"name":"l","number":0},"branch":{"name":"b","left":{"left":{"name":"inner"}},"leaves":[{"number":1},{"number":2}]}})"s,
            R"({"point":{"x":1.5,"y":0.1}})"s,
            R"({"mark":{"colour":"Blue","at":{"x":1,"y":2},"weights":[1,-2,3],"corners":[{"x":1,"y":2},{"x":3,"y":4}]}})"s,
            R"({"shape_type":"Leaf","shape":{"name":"leaf"}})"s,
            R"({"shape_type":"Point","shape":{"x":1,"y":2}})"s,
            R"({"shape_type":"Text","shape":"words"})"s,
            R"({"shapes_type":["Leaf","Text","Point","Branch"],"shapes":[{"number":1},"t",{"x":0,"y":0},{"left":{}}]})"s,
            R"({"truths":[true,false],"bytes":[0,255],"shorts":[-1],"longs":[9223372036854775807],"reals":[0.1,1e+300]})"s,
            R"({"colours":["Green","Blue"],"texts":["a","b"],"points":[{"x":1,"y":2}]})"s,
            R"({"flex":{"a":[1,-2,true,null,"text",0.5],"b":{}}})"s,
            R"({"any":{"z":[1,-2,18446744073709551615,0.5,1.0,true,null,"text",[],{}],"a":{"b":{"":"empty name"}}}})"s,
        }) {
        EXPECT_EQ(there_and_back(json), json);
    }
}

TEST(Json, fields_may_come_in_any_order_with_any_space) {
    EXPECT_EQ(there_and_back(" { \"text\" : \"t\" ,\n \"truth\" : false, \"shape\":{}, \"shape_type\":\"Leaf\" } "),
              R"({"truth":false,"text":"t","shape_type":"Leaf","shape":{}})");
}

TEST(Json, that_gives_a_default_differs_from_json_that_does_not) {
    EXPECT_EQ(there_and_back(R"({"int8":-3,"int32":7,"real32":1.5,"truth":false,"perhaps":0,"colour":"Green"})"),
              R"({"truth":false,"int8":-3,"int32":7,"real32":1.5,"perhaps":0,"colour":"Green"})");
}

TEST(Json, null_is_an_absent_field) {
    EXPECT_EQ(there_and_back(R"({"text":null,"leaf":null,"int32":null,"shape":null,"shape_type":null})"), "{}");
}

TEST(Json, numbers_of_64_bits_may_come_as_texts) {
    EXPECT_EQ(there_and_back(R"({"int64":"-9007199254740993","uint64":"18446744073709551615"})"),
              R"({"int64":-9007199254740993,"uint64":18446744073709551615})");
    EXPECT_EQ(refusal_of(R"({"int32":"5"})"), "int32: expected a whole number from -2147483648 to 2147483647, found the text \"5\"");
    EXPECT_NE(refusal_of(R"({"int64":"5x"})"), "");
}

TEST(Json, a_whole_number_may_have_a_point) { EXPECT_EQ(there_and_back(R"({"int32":12.0,"int64":1e3})"), R"({"int32":12,"int64":1000})"); }

TEST(Json, that_a_field_can_not_hold_exactly_is_refused_with_its_name) {
    EXPECT_EQ(refusal_of(R"({"int8":128})"), "int8: expected a whole number from -128 to 127, found 128");
    EXPECT_EQ(refusal_of(R"({"uint8":-1})"), "uint8: expected a whole number from 0 to 255, found -1");
    EXPECT_EQ(refusal_of(R"({"int32":1.5})"), "int32: expected a whole number from -2147483648 to 2147483647, found 1.5");
    EXPECT_EQ(refusal_of(R"({"uint64":18446744073709551616})"),
              "uint64: expected a whole number from 0 to 18446744073709551615, found 18446744073709551616");
    EXPECT_EQ(refusal_of(R"({"int64":9223372036854775808})"),
              "int64: expected a whole number from -9223372036854775808 to 9223372036854775807, found 9223372036854775808");
    EXPECT_EQ(refusal_of(R"({"real64":9007199254740993})"), "real64: expected a number that a double can hold, found 9007199254740993");
    EXPECT_EQ(refusal_of(R"({"real32":1e39})"), "real32: expected a number that a float can hold, found 1e+39");
    EXPECT_EQ(refusal_of(R"({"any":{"a":[0,123456789012345678901234567890]}})"), "any.a[1]: the number can't be held exactly");
    EXPECT_EQ(there_and_back(R"({"any":[100000000000000000000]})"), R"({"any":[1e+20]})") << "as JavaScript writes this double";
}

TEST(Json, that_is_none_is_refused_where_it_stands) {
    for (const auto& [json, where] : {std::pair(R"({"real64":1e400})", "real64: no valid JSON at position 10"),
                                      {R"({"leaf":{"name":"\ud800"}})", "leaf.name: no valid JSON at position 17"},
                                      {R"({"leaf":{"name":"\udc00x"}})", "leaf.name: a text holds half a surrogate pair"},
                                      {"{\"texts\":[\"good\",\"\xff\"]}", "texts[1]: no valid JSON"},
                                      {"{\"text\":\"\xed\xa0\x80\"}", "text: no valid JSON"},
                                      {R"({"real64":NaN})", "real64: no valid JSON"},
                                      {R"({"real64":Infinity})", "real64: no valid JSON"},
                                      {R"({"real64":-inf})", "real64: no valid JSON"},
                                      {R"({"int32":0x10})", "int32: no valid JSON"},
                                      {R"({"int32":01})", "int32: no valid JSON"},
                                      {R"({"texts":["a","b",]})", "texts[2]: no valid JSON"},
                                      {R"({"text":'t'})", "text: no valid JSON"},
                                      {R"({"text":"t"} x)", "no valid JSON at position 13"},
                                      {R"({"text":"t)", "text: no valid JSON"},
                                      {"", "the text is empty"},
                                      {"// comment\n{}", "no valid JSON at position 0"}}) {
        EXPECT_EQ(refusal_of(json).substr(0, std::string_view(where).size()), where) << json << "\n" << refusal_of(json);
    }
    EXPECT_EQ(refusal_of("{}\0x"sv), "no valid JSON at position 2: a zero is no part of it");
}

TEST(Json, with_a_name_twice_is_refused_with_the_name) {
    EXPECT_EQ(refusal_of(R"({"text":"a","text":"a"})"), "text: it is there twice");
    EXPECT_EQ(refusal_of(R"({"text":null,"text":"a"})"), "text: it is there twice");
    EXPECT_EQ(refusal_of(R"({"leaves":[{},{"name":"a","name":"b"}]})"), "leaves[1].name: it is there twice");
    EXPECT_EQ(refusal_of(R"({"any":{"a":{"b":1,"b":1}}})"), "any.a.b: it is there twice");
    EXPECT_EQ(refusal_of(R"({"flex":{"a":{"b":1,"b":1}}})"), "flex.a.b: it is there twice");
    EXPECT_EQ(refusal_of(R"({"point":{"x":1,"x":1,"y":1}})"), "point.x: it is there twice");
}

TEST(Json, of_another_shape_is_refused_with_the_field_and_what_was_expected) {
    EXPECT_EQ(refusal_of("[]"), "expected an object (everything.Event), found a list");
    EXPECT_EQ(refusal_of(R"({"texts":{}})"), "texts: expected a list of string, found an object");
    EXPECT_EQ(refusal_of(R"({"texts":["a",null]})"), "texts[1]: expected a text, found null");
    EXPECT_EQ(refusal_of(R"({"leaf":5})"), "leaf: expected an object (everything.Leaf), found 5");
    EXPECT_EQ(refusal_of(R"({"branch":{"left":{"nmae":"x"}}})"), "branch.left.nmae: everything.Branch has no such field");
    EXPECT_EQ(refusal_of(R"({"truth":1})"), "truth: expected true or false, found 1");
    EXPECT_EQ(refusal_of(R"({"real64":"1"})"), "real64: expected a number, found the text \"1\"");
    EXPECT_EQ(refusal_of(R"({"colour":"Grey"})"),
              "colour: expected a name of everything.Colour (Red, Green, Blue), found the text \"Grey\"");
    EXPECT_EQ(refusal_of(R"({"colour":"Red Blue"})"),
              "colour: expected a name of everything.Colour (Red, Green, Blue), found the text \"Red Blue\"");
    EXPECT_EQ(refusal_of(R"({"access":"Read  Run"})"),
              "access: expected a name of everything.Access (Read, Write, Run), found the text \"Read  Run\"");
    EXPECT_EQ(refusal_of(R"({"point":{"x":1}})"), "point.y: it is missing; a struct has all its fields");
    EXPECT_EQ(refusal_of(R"({"mark":{"colour":0,"at":{"x":1,"y":1},"weights":[1,2],"corners":[]}})"),
              "mark.weights: expected a list of 3 short, found a list");
    EXPECT_EQ(refusal_of(R"({"shape":{}})"), "shape: its type is missing: shape_type");
    EXPECT_EQ(refusal_of(R"({"shape_type":"Leaf"})"), "shape: it is missing, but shape_type is given");
    EXPECT_EQ(refusal_of(R"({"shape_type":"NONE","shape":{}})"), "shape: expected a type of everything.Shape, found the text \"NONE\"");
    EXPECT_EQ(refusal_of(R"({"shapes_type":["Leaf"],"shapes":[{},{}]})"), "shapes: shapes_type does not have as many elements");
    EXPECT_EQ(refusal_of(R"({"old":1})"), "old: the field is deprecated");
    EXPECT_EQ(refusal_of("{\"text\":\"" + std::string(500, 'x') + "\",\"truth\":\"" + std::string(500, 'x') + "\"}"),
              "truth: expected true or false, found a text of 500 bytes");
    const Schema demanding(everything_binary(), "everything.Demanding");
    EXPECT_EQ(refusal_of(R"({"may":"x"})", demanding), "must: it is required");
    EXPECT_EQ(refusal_of(R"({"must":null})", demanding), "must: it is required");
    EXPECT_EQ(refusal_of(R"({"must":""})", demanding), "");
}

TEST(Json, is_nested_to_its_bound_and_refused_beyond) {
    const auto nested = [](const std::string& before, std::size_t lists) {
        return "{\"any\":" + std::string(lists, '[') + before + std::string(lists, ']') + "}";
    };
    const std::string deepest = nested("1", kMaxJsonDepth - 1);
    EXPECT_EQ(there_and_back(deepest), deepest);
    EXPECT_NE(refusal_of(nested("1", kMaxJsonDepth)).find("more than 63 lists and objects lie within each other"), std::string::npos);
    for (const char opening : {'[', '{'}) EXPECT_NE(refusal_of(std::string(10'000'000, opening)), "");
    std::string objects;
    for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
    EXPECT_NE(refusal_of(objects).find("lie within each other"), std::string::npos);
}

TEST(Json, reads_as_generated_code_does) {
    const Bytes payload =
        payload_of(everything(), R"({"int8":-5,"uint64":18446744073709551615,"real32":0.1,"colour":"Red","access":"Read Run","text":"t",
        "branch":{"left":{"name":"l"},"leaves":[{"number":1}]},"mark":{"colour":"Blue","at":{"x":1,"y":2},"weights":[1,-2,3],"corners":[{"x":5,"y":6},{"x":7,"y":8}]},
        "shapes_type":["Text","Point"],"shapes":["t",{"x":1,"y":2}],"longs":[-1],"points":[{"x":3,"y":4}],"any":{"k":[18446744073709551615]}})");
    const everything::Event& event = root_of(payload);
    EXPECT_EQ(event.int8(), -5);
    EXPECT_EQ(event.int32(), 7) << "the default";
    EXPECT_FALSE(event.perhaps().has_value());
    EXPECT_EQ(event.uint64(), std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(event.real32(), 0.1f);
    EXPECT_EQ(event.colour(), everything::Colour::Red);
    EXPECT_EQ(event.access(), everything::Access::Read | everything::Access::Run);
    EXPECT_EQ(event.branch()->left()->name()->str(), "l");
    EXPECT_EQ(event.branch()->leaves()->Get(0)->number(), 1);
    EXPECT_EQ(event.mark()->weights()->Get(1), -2);
    EXPECT_EQ(event.mark()->corners()->Get(1)->y(), 8);
    EXPECT_EQ(event.shapes()->GetAsString(0)->str(), "t");
    EXPECT_EQ(event.shapes()->GetAs<everything::Point>(1)->y(), 2);
    EXPECT_EQ(event.longs()->Get(0), -1);
    EXPECT_EQ(event.points()->Get(0)->x(), 3);
    EXPECT_EQ(event.any()->items()->Get(0)->items()->Get(0)->unsigned_integer(), std::numeric_limits<std::uint64_t>::max());
    EXPECT_TRUE(flatbuffers::BufferHasIdentifier(payload.data(), "EVRY"));
}

TEST(Json, is_made_of_what_generated_code_built) {
    everything::EventT event;
    event.text = "t";
    event.perhaps = 0;
    event.point = std::make_unique<everything::Point>(1.5, 0.25f);
    everything::LeafT leaf;
    leaf.name = "leaf";
    leaf.number = 3;
    event.shape.Set(std::move(leaf));
    event.longs = {1, -1};
    event.texts = {"a", ""};
    EXPECT_EQ(json_of(everything(), built(event)),
              R"({"perhaps":0,"text":"t","point":{"x":1.5,"y":0.25},"shape_type":"Leaf","shape":{"name":"leaf","number":3},)"
              R"("longs":[1,-1],"texts":["a",""]})");
}

std::string fault_of(const everything::EventT& event) {
    try {
        return json_of(everything(), built(event));
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), SWB_ERR_PAYLOAD);
        return e.what();
    }
}

TEST(Json, has_no_nan_no_infinity_and_no_text_that_is_not_utf8) {
    everything::EventT event;
    event.real64 = std::numeric_limits<double>::quiet_NaN();
    EXPECT_EQ(fault_of(event), "real64: JSON has no nan");
    event.real64 = 0;
    event.reals = {1, -std::numeric_limits<double>::infinity()};
    EXPECT_EQ(fault_of(event), "reals[1]: JSON has no infinity");
    event.reals.clear();
    event.leaves.push_back(std::make_unique<everything::LeafT>());
    event.leaves.back()->name = "\xff";
    EXPECT_EQ(fault_of(event), "leaves[0].name: it is not UTF-8");
    event.leaves.clear();
    event.flex = {0xff, 0xff, 0xff, 0xff};
    EXPECT_EQ(fault_of(event), "flex: it is no FlexBuffer");
}

TEST(Json, of_the_standard_events_needs_no_field) {
    const Schema all(events_binary(), "swarmbus.events.TaskFailed");
    for (const SchemaObject& object : all.objects()) {
        if (object.event.empty()) continue;
        const Schema schema(events_binary(), object.name);
        EXPECT_EQ(there_and_back("{}", schema), "{}") << object.name;
        EXPECT_EQ(there_and_back(R"({"metadata":{"nested":{"deeply":[1,{"more":true}]}}})", schema),
                  R"({"metadata":{"nested":{"deeply":[1,{"more":true}]}}})");
    }
}

}  // namespace
}  // namespace swarmbus::core
