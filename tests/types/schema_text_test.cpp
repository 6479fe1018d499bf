// Schemas as text.
#include <gtest/gtest.h>

#include <string>

#include "src/types/schema_text.hpp"
#include "tests/types/schemas.hpp"

namespace swarmbus::core {
namespace {

std::string refusal(const std::string& text) {
    try {
        binary_of_text(text);
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), SWB_ERR_SCHEMA);
        return e.what();
    }
    return {};
}

TEST(SchemaText, makes_the_schema_that_flatc_makes) {
    const Schema schema(binary_of_text("namespace n; attribute \"event\"; table T (event: \"a.b.c\") { a:int; b:[string]; } root_type T;"));
    EXPECT_EQ(schema.root().event, "a.b.c");
    EXPECT_EQ(there_and_back(R"({"a":1,"b":["x"]})", schema), R"({"a":1,"b":["x"]})");
}

TEST(SchemaText, has_any_json_with_and_without_the_include) {
    for (const std::string include : {"", "include \"value.fbs\";\n"}) {
        const Schema schema(binary_of_text(include + "table T { v:swarmbus.Value; } root_type T;"));
        EXPECT_EQ(there_and_back(R"({"v":{"a":[1,2.5,null]}})", schema), R"({"v":{"a":[1,2.5,null]}})");
    }
}

TEST(SchemaText, that_is_wrong_is_refused_with_its_line) {
    EXPECT_EQ(refusal("table T {\n  a:nothing;\n}"),
              "schema: 3: 1: error: type referenced but not defined (check namespace): nothing, originally at: :2");
    EXPECT_NE(refusal("table T { a:int; a:int; }").find("field already exists: a"), std::string::npos);
    EXPECT_NE(refusal(std::string("table T {\0}", 11)), "");
    EXPECT_NE(refusal(std::string(kMaxSchemaBytes + 1, ' ')), "");
}

TEST(SchemaText, reads_no_file) {
    for (const std::string before : {"", "\n// include nothing\n/* ; */ \t", "\xef\xbb\xbf", "include \"value.fbs\";"}) {
        for (const std::string include :
             {"include \"/etc/passwd\";", "include\"/etc/passwd\";", "native_include \"/etc/passwd\";", "include \"/etc/passwd"}) {
            EXPECT_NE(refusal(before + include + " table T { v:swarmbus.Value; }").find("can include \"value.fbs\" and no other file"),
                      std::string::npos)
                << before << include;
        }
    }
    EXPECT_NE(refusal("table T { a:int; } include \"/etc/passwd\";").find("includes must come before declarations"), std::string::npos);
}

}  // namespace
}  // namespace swarmbus::core
