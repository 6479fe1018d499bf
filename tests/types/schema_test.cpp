// Binary schemas from anywhere: made ready, or refused with what is wrong.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/types/schema_text.hpp"
#include "tests/types/schemas.hpp"

namespace swarmbus::core {
namespace {

std::string refusal(const Bytes& binary, const std::string& root = {}) {
    try {
        const Schema schema(binary, root);
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), SWB_ERR_SCHEMA) << e.what();
        return e.what();
    }
    return {};
}

TEST(Schema, knows_its_root_its_tables_and_the_types_they_are_published_under) {
    EXPECT_EQ(everything().root().name, "everything.Event");
    EXPECT_EQ(everything().root().event, "test.everything");
    EXPECT_EQ(everything().file_identifier(), "EVRY");
    EXPECT_EQ(Schema(everything_binary(), "everything.Leaf").root().name, "everything.Leaf");
    const SchemaObject* mark = everything().find_object("everything.Mark");
    ASSERT_NE(mark, nullptr);
    EXPECT_TRUE(mark->is_struct);
    EXPECT_EQ(name_of(mark->find("corners")->type), "[everything.Point:2]");
    EXPECT_EQ(name_of(everything().root().find("shapes")->type), "[everything.Shape]");
    EXPECT_TRUE(everything().find_object("swarmbus.Value")->is_json_value);
}

TEST(Schema, without_the_root_that_was_asked_for_is_refused) {
    EXPECT_EQ(refusal(everything_binary(), "everything.Nothing"), "schema: it has no table everything.Nothing");
    EXPECT_EQ(refusal(everything_binary(), "everything.Point"), "schema: everything.Point is a struct; an event is a table");
    EXPECT_EQ(refusal(binary_of_text("table Event { a:int; }")), "schema: it has no root table; name one");
}

TEST(Schema, that_is_none_is_refused) {
    EXPECT_EQ(refusal({}), "schema: this is no binary schema (.bfbs)");
    EXPECT_EQ(refusal(Bytes(100, std::byte{'x'})), "schema: this is no binary schema (.bfbs)");
    EXPECT_NE(refusal(Bytes(kMaxSchemaBytes + 1)).find("at most 1048576 are allowed"), std::string::npos);
}

Bytes replaced(Bytes binary, std::string_view what, std::string_view instead) {
    const auto as_bytes = std::as_bytes(std::span(what));
    const auto found = std::search(binary.begin(), binary.end(), as_bytes.begin(), as_bytes.end());
    EXPECT_NE(found, binary.end()) << what;
    std::ranges::copy(std::as_bytes(std::span(instead)), found);
    return binary;
}

TEST(Schema, with_texts_that_could_not_be_printed_is_refused) {
    const Bytes binary =
        binary_of_text("attribute \"event\";\n/// comment\ntable T (event: \"a.b\") { a:int; }\nroot_type T; file_identifier \"IDEN\";");
    EXPECT_EQ(refusal(binary), "");
    EXPECT_EQ(refusal(replaced(binary, "comment", "comm\xffnt")), "schema: a comment is no line of UTF-8");
    EXPECT_EQ(refusal(replaced(binary, "comment", "com\rent")), "schema: a comment is no line of UTF-8");
    EXPECT_EQ(refusal(replaced(binary, "a.b", "a\"b")), "schema: T: what it names as the type of its events is no name");
    EXPECT_EQ(refusal(replaced(binary, "IDEN", "ID\"N")), "schema: its file identifier is no four characters");
}

TEST(Schema, whose_comments_are_one_text_many_times_is_refused) {
    flatbuffers::FlatBufferBuilder builder;
    const std::vector<flatbuffers::Offset<flatbuffers::String>> lines(100, builder.CreateString(std::string(1000, 'x')));
    const auto comment = builder.CreateVector(lines);
    const auto name = builder.CreateString("T");
    const auto fields = builder.CreateVector(std::vector<flatbuffers::Offset<reflection::Field>>());
    const auto object = reflection::CreateObject(builder, name, fields, false, 1, 0, 0, comment);
    const auto objects = builder.CreateVector(&object, 1);
    const auto enums = builder.CreateVector(std::vector<flatbuffers::Offset<reflection::Enum>>());
    builder.Finish(reflection::CreateSchema(builder, objects, enums, 0, 0, object), reflection::SchemaIdentifier());
    const auto binary = std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
    EXPECT_EQ(refusal({binary.begin(), binary.end()}), "schema: its comments are longer than itself");
}

TEST(Schema, with_a_name_twice_is_refused_with_the_name) {
    const Bytes binary = binary_of_text("enum E : byte { One, Two } table First { e:E; } table Other { a:int; } root_type First;");
    EXPECT_EQ(refusal(replaced(binary, "Two", "One")), "schema: E.One: there twice");
    EXPECT_EQ(refusal(replaced(binary, "Other", "First")), "schema: First: there twice");
}

TEST(Schema, with_structs_deep_within_each_other_is_refused) {
    std::string text = "struct S0 { a:byte; }";
    for (int i = 1; i < 40; ++i) text += "struct S" + std::to_string(i) + " { a:S" + std::to_string(i - 1) + "; }";
    EXPECT_NE(refusal(binary_of_text(text + "table T { s:S39; } root_type T;")).find("structs lie within each other"), std::string::npos);
}

TEST(Schema, whose_table_is_larger_than_a_vtable_can_say_is_refused_with_the_table) {
    const std::string text = "struct Big { a:[ubyte:40000]; } table T { x:Big; y:Big; } root_type T;";
    EXPECT_TRUE(refusal(binary_of_text(text)).starts_with("schema: T: its fields take 80000 bytes; a FlatBuffer's table has at most 65531"))
        << refusal(binary_of_text(text));
}

TEST(Schema, whose_struct_is_longer_than_its_fields_is_refused) {
    const Bytes binary = binary_of_text("struct S { a:uint; b:[uint:99]; } table T { s:S; } root_type T;");
    using namespace std::string_literals;
    EXPECT_EQ(refusal(replaced(binary, "\x90\x01\0\0"s, "\x90\x02\0\0"s)), "schema: S: it is not as long as its fields");
}

// Any JSON is read by the fields of swarmbus.Value, which must then be what their names say.
TEST(Schema, that_calls_numbers_string_has_no_values_of_any_json) {
    const Bytes binary = binary_of_text(
        "enum strinx : ulong { A } namespace swarmbus; enum ValueKind : ubyte { Null } table Value { kind:ValueKind; boolean:bool; "
        "integer:long; unsigned_integer:ulong; real:double; text:strinx; items:[Value]; name:strinx; } root_type Value;");
    EXPECT_FALSE(Schema(replaced(binary, "strinx", "string")).root().is_json_value);
    EXPECT_TRUE(Schema(bytes_of_file(SWARMBUS_SCHEMAS "/value.bfbs"), "swarmbus.Value").root().is_json_value);
}

// Whatever a schema says: it is refused, or payloads can be verified, written and read by it.
TEST(Schema, that_was_mutated_is_refused_or_is_of_use) {
    const Bytes whole = everything_binary();
    const Bytes payload =
        payload_of(everything(), R"({"text":"t","leaf":{"number":1},"point":{"x":1,"y":2},"shapes_type":["Text"],"shapes":["t"]})");
    std::mt19937 random(20261);
    int accepted = 0, refused = 0;
    for (int i = 0; i < 20'000; ++i) {
        Bytes mutant = whole;
        for (int changes = 1 + static_cast<int>(random() % 3); changes > 0; --changes)
            mutant[random() % mutant.size()] = static_cast<std::byte>(random());
        try {
            const Schema schema(mutant);
            ++accepted;
            if (!find_payload_fault(schema, payload)) json_of(schema, payload);
            payload_of(schema, R"({"int32":1,"text":"t","texts":["a"],"point":{"x":1,"y":2},"shape_type":"Text","shape":"t"})");
        } catch (const Error& e) {
            EXPECT_TRUE(e.code() == SWB_ERR_SCHEMA || e.code() == SWB_ERR_PAYLOAD) << e.what();
            refused += e.code() == SWB_ERR_SCHEMA ? 1 : 0;
        }
    }
    EXPECT_GT(accepted, 100);
    EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace swarmbus::core
