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

TEST(SchemaPrint, of_several_schemas_has_what_they_share_once) {
    const Schema first(binary_of_text("namespace n; struct At { x:int; } table A { at:At; } root_type A;"));
    const Schema second(binary_of_text("namespace n; struct At { x:int; } table B { at:At; a:int; } root_type B;"));
    EXPECT_EQ(fbs_of(std::vector<const Schema*>{&first, &second}),
              "\nnamespace n;\n\nstruct At {\n  x:int;\n}\n\ntable A {\n  at:n.At;\n}\n\ntable B {\n  at:n.At;\n  a:int;\n}\n");
}

TEST(SchemaPrint, of_schemas_that_define_a_name_in_two_ways_is_refused) {
    const Schema first(binary_of_text("namespace n; struct At { x:int; } table A { at:At; } root_type A;"));
    const Schema second(binary_of_text("namespace n; struct At { x:long; } table B { at:At; } root_type B;"));
    try {
        fbs_of(std::vector<const Schema*>{&first, &second});
        FAIL() << "two ways were one";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), SWB_ERR_SCHEMA);
        EXPECT_NE(std::string(e.what()).find("'n.At'"), std::string::npos) << e.what();
    }
}

TEST(SchemaPrint, keeps_an_alignment_that_was_asked_for) {
    const Schema schema(binary_of_text("struct A (force_align: 8) { a:byte; } struct B { a:A; b:byte; } table T { b:B; } root_type T;"));
    const std::string text = fbs_of(schema);
    EXPECT_TRUE(is_same(schema, Schema(binary_of_text(text)))) << text;
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
    const std::vector<NamedType> types = named_types(everything());
    EXPECT_NE(type_names_in_c(types, "GUARD_H").find("#define SWB_TYPE_TEST_EVERYTHING \"test.everything\"\n"), std::string::npos);
    EXPECT_NE(standard_types_in_cpp(types).find("{\"test.everything\", \"everything.Event\"},\n"), std::string::npos);
    const std::string cpp = type_names_in_cpp(types, "<x.h>");
    EXPECT_NE(cpp.find("test_everything = \"test.everything\";"), std::string::npos) << cpp;
    EXPECT_NE(cpp.find("struct EventTypeOf<::everything::Event> {"), std::string::npos) << cpp;
}

TEST(TypeNames, are_constants_in_python_and_typescript) {
    const std::vector<NamedType> types{{"shop.order-line.added", "shop.Added"}};
    EXPECT_NE(type_names_in_python(types).find("\nSHOP_ORDER_LINE_ADDED = \"shop.order-line.added\"\n"), std::string::npos);
    EXPECT_NE(type_names_in_typescript(types).find("\nexport const SHOP_ORDER_LINE_ADDED = \"shop.order-line.added\";\n"),
              std::string::npos);
}

TEST(TypeNames, give_a_table_of_several_types_the_first) {
    const std::string cpp = type_names_in_cpp(std::vector<NamedType>{{"a.b", "x.T"}, {"c.d", "x.T"}}, "<x.h>");
    EXPECT_NE(cpp.find("name = event_types::a_b;"), std::string::npos) << cpp;
    EXPECT_EQ(cpp.find("name = event_types::c_d;"), std::string::npos) << cpp;
}

TEST(TypeNames, that_are_not_domain_entity_action_are_unusual) {
    for (const char* const type : {"agent.created", "agent.status.changed"}) EXPECT_EQ(unusual_type_name(type), "");
    for (const char* const type : {"created", "a.b.c.d"}) EXPECT_NE(unusual_type_name(type).find(type), std::string::npos);
}

}  // namespace
}  // namespace swarmbus::core
