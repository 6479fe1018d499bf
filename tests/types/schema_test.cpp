// Binary schemas from anywhere: made ready, or refused with what is wrong.
#include <gtest/gtest.h>

#include <random>
#include <string>

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
