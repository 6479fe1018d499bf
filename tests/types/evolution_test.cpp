// What may take the place of a schema: what only adds. The rest is refused with the field, also what flatc --conform lets
// pass.
#include <gtest/gtest.h>

#include <string>

#include "src/types/evolution.hpp"
#include "src/types/schema_print.hpp"
#include "src/types/schema_text.hpp"
#include "tests/types/schemas.hpp"

namespace swarmbus::core {
namespace {

const std::string kBefore = R"(
    namespace a;
    enum Colour : byte { Red, Green }
    struct Point { x:int; }
    table Inner { n:int; }
    table Other { n:int; }
    union Shape { Inner, Other }
    table Event { text:string; number:int = 5; colour:Colour; point:Point; inner:Inner; shape:Shape; maybe:int = null; }
    root_type Event;
    file_identifier "ABCD";
)";

std::string with(const std::string& what, const std::string& instead) {
    std::string text = kBefore;
    const std::size_t at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return text.replace(at, what.size(), instead);
}

const Schema& before() {
    static const Schema schema(binary_of_text(kBefore));
    return schema;
}

std::string fault_of(const std::string& text) {
    const Schema next(binary_of_text(text));
    return find_incompatibility(before(), next).value_or("");
}

TEST(Evolution, fields_values_and_tables_may_be_added) {
    EXPECT_EQ(fault_of(kBefore), "");
    EXPECT_EQ(fault_of(with("maybe:int = null;", "maybe:int = null; more:string; and:[Inner];")), "");
    EXPECT_EQ(fault_of(with("{ Red, Green }", "{ Red, Green, Blue }")), "");
    EXPECT_EQ(fault_of(with("{ Inner, Other }", "{ Inner, Other, Event }")), "");
    EXPECT_EQ(fault_of(with("table Other", "table New { a:int; } table Other")), "");
    EXPECT_EQ(fault_of(with("table Inner { n:int; }", "table Inner { n:int; more:int; }")), "");
    EXPECT_EQ(fault_of(with("text:string;", "text:string (deprecated);")), "");
}

TEST(Evolution, what_reads_older_or_newer_events_wrongly_is_refused_with_the_field) {
    EXPECT_EQ(fault_of(with("number:int = 5;", "number:long = 5;")), "a.Event.number is of type long, it was int");
    EXPECT_EQ(fault_of(with("number:int = 5;", "number:int = 6;")), "a.Event.number has another default");
    EXPECT_EQ(fault_of(with("number:int = 5;", "number:int = null;")), "a.Event.number has another default");
    EXPECT_EQ(fault_of(with("text:string; number:int = 5;", "number:int = 5; text:string;")), "a.Event.text has given its place to number");
    EXPECT_EQ(fault_of(with("text:string;", "new:int; text:string;")), "a.Event.text has given its place to new");
    EXPECT_EQ(fault_of(with("number:int = 5; ", "")), "a.Event.number has given its place to colour");
    EXPECT_EQ(fault_of(with("{ Inner, Other }", "{ Other, Inner }")), "a.Shape.Inner is 2, it was 1");
    EXPECT_EQ(fault_of(with("{ Red, Green }", "{ Green, Red }")), "a.Colour.Red is 1, it was 0");
    EXPECT_EQ(fault_of(with("enum Colour : byte", "enum Colour : short")), "a.Colour is of another kind");
}

TEST(Evolution, what_flatc_lets_pass_is_refused_too) {
    EXPECT_EQ(fault_of(with("struct Point { x:int; }", "struct Point { x:int; y:int; }")), "a.Point.y is new, and a struct can't grow");
    EXPECT_EQ(fault_of(with("text:string;", "text:string (required);")), "a.Event.text is required, which it was not");
    EXPECT_EQ(fault_of(with("maybe:int = null;", "maybe:int = null; more:string (required);")),
              "a.Event.more is new and required, which older events lack");
    EXPECT_EQ(fault_of(with(" maybe:int = null;", "")), "a.Event.maybe is gone");
    EXPECT_EQ(fault_of(with("{ Red, Green }", "{ Red }")), "a.Colour.Green is gone");
    EXPECT_EQ(fault_of(with("number:int", "count:int")), "a.Event.number has given its place to count");
    EXPECT_EQ(fault_of(with("namespace a;", "namespace b;")), "the root table is b.Event, it was a.Event");
    EXPECT_EQ(fault_of(with("root_type Event;", "root_type Inner;")), "the root table is a.Inner, it was a.Event");
    EXPECT_EQ(fault_of(with("\"ABCD\"", "\"ABCE\"")), "the file identifier is \"ABCE\", it was \"ABCD\"");
    EXPECT_EQ(fault_of(with("table Inner { n:int; }", "table Inner { n:short; }")), "a.Inner.n is of type short, it was int");
}

TEST(Evolution, of_thousands_of_tables_that_lead_to_each_other_is_decided) {
    std::string text = "table T5000 { last:int; }";
    for (int i = 0; i < 5000; ++i) text += "table T" + std::to_string(i) + "{a:T" + std::to_string(i + 1) + ";}";
    text += "root_type T0;";
    const Schema one(binary_of_text(text));
    const Schema next(binary_of_text(text.replace(text.find("last:int"), 8, "last:long")));
    EXPECT_TRUE(is_same(one, one));
    EXPECT_EQ(find_incompatibility(one, next), "T5000.last is of type long, it was int");
    EXPECT_NE(fbs_of(one).find("table T5000 {"), std::string::npos);
}

TEST(Evolution, schemas_that_differ_in_comments_are_the_same) {
    EXPECT_TRUE(is_same(before(), Schema(binary_of_text(with("text:string;", "\n/// Words.\ntext:string;")))));
    EXPECT_FALSE(is_same(before(), Schema(binary_of_text(with("maybe:int = null;", "maybe:int = null; more:int;")))));
    EXPECT_FALSE(is_same(before(), Schema(binary_of_text(with("{ Red, Green }", "{ Red, Green, Blue }")))));
    EXPECT_TRUE(is_same(everything(), everything())) << "also where tables hold themselves";
}

}  // namespace
}  // namespace swarmbus::core
