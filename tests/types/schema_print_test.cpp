// Schemas printed as text make the same schema again.
#include <gtest/gtest.h>

#include <string>

#include <nlohmann/json.hpp>

#include "src/types/evolution.hpp"
#include "src/types/schema_print.hpp"
#include "src/types/schema_text.hpp"
#include "src/types/type_names.hpp"
#include "tests/types/schemas.hpp"

namespace swarmbus::core {
namespace {

TEST(SchemaPrint, as_fbs_makes_the_same_schema) {
    const std::string text = fbs_of(everything());
    const Schema again(binary_of_text(text));
    EXPECT_TRUE(is_same(everything(), again)) << find_incompatibility(everything(), again).value_or("something was added") << "\n" << text;
    EXPECT_EQ(again.root().event, "test.everything");
    EXPECT_EQ(fbs_of(again), text);
}

TEST(SchemaPrint, of_every_standard_event_makes_the_same_schema_with_its_comments) {
    const Schema all(events_binary());
    for (const SchemaObject& object : all.objects()) {
        if (object.event.empty()) continue;
        const Schema schema(events_binary(), object.name);
        const std::string text = fbs_of(schema);
        EXPECT_TRUE(is_same(schema, Schema(binary_of_text(text)))) << text;
        EXPECT_NE(text.find("/// " + object.comment), std::string::npos) << text;
    }
}

TEST(SchemaPrint, as_json_schema_describes_the_json) {
    const auto schema = nlohmann::json::parse(json_schema_of(everything()));
    EXPECT_EQ(schema["$ref"], "#/$defs/everything.Event");
    EXPECT_EQ(schema["title"], "test.everything");
    const auto& fields = schema["$defs"]["everything.Event"]["properties"];
    EXPECT_EQ(fields["int8"]["minimum"], -128);
    EXPECT_EQ(fields["uint64"]["maximum"], 18446744073709551615u);
    EXPECT_EQ(fields["colour"]["anyOf"][0]["enum"], (nlohmann::json{"Red", "Green", "Blue"}));
    EXPECT_EQ(fields["leaves"]["items"]["$ref"], "#/$defs/everything.Leaf");
    EXPECT_EQ(fields["shape"]["anyOf"].size(), 4u);
    EXPECT_EQ(schema["$defs"]["swarmbus.Value"], true);
    EXPECT_FALSE(fields.contains("old"));
    EXPECT_EQ(schema["$defs"]["everything.Point"]["required"], (nlohmann::json{"x", "y"}));
    const auto demanding = nlohmann::json::parse(json_schema_of(Schema(everything_binary(), "everything.Demanding")));
    EXPECT_EQ(demanding["$defs"]["everything.Demanding"]["required"], nlohmann::json{"must"});
}

TEST(TypeNames, are_constants_in_c_and_cpp) {
    EXPECT_NE(type_names_in_c(everything(), "GUARD_H").find("#define SWB_TYPE_TEST_EVERYTHING \"test.everything\"\n"), std::string::npos);
    const std::string cpp = type_names_in_cpp(everything(), "x.h");
    EXPECT_NE(cpp.find("test_everything = \"test.everything\";"), std::string::npos) << cpp;
    EXPECT_NE(cpp.find("struct EventTypeOf<::everything::Event> {"), std::string::npos) << cpp;
}

TEST(TypeNames, that_are_not_domain_entity_action_are_unusual) {
    for (const char* const type : {"agent.created", "agent.status.changed"}) EXPECT_EQ(unusual_type_name(type), "");
    for (const char* const type : {"created", "a.b.c.d"}) EXPECT_NE(unusual_type_name(type).find(type), std::string::npos);
}

}  // namespace
}  // namespace swarmbus::core
