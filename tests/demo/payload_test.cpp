#include "payload.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

struct Field {
    bool found;
    std::string value;
};

Field field(const std::string& json, const char* name, std::size_t size = 64) {
    std::vector<char> value(size, 'x');
    const bool found = json_field(json.c_str(), name, value.data(), value.size()) != 0;
    return {found, value.data()};
}

TEST(Payload, a_text_field_is_found_without_its_quotes) {
    const Field id = field(R"({"task_id":"t-1","agent_id":"coder-1"})", "agent_id");
    EXPECT_TRUE(id.found);
    EXPECT_EQ(id.value, "coder-1");
}

TEST(Payload, other_values_are_found_as_written) {
    const char* json = R"({ "a" : null , "b" : -1.5e3 , "c" : { "d" : [ 1, "}" ] } , "e":true})";
    EXPECT_EQ(field(json, "a").value, "null");
    EXPECT_EQ(field(json, "b").value, "-1.5e3");
    EXPECT_EQ(field(json, "c").value, R"({ "d" : [ 1, "}" ] })");
    EXPECT_EQ(field(json, "e").value, "true");
}

TEST(Payload, fields_of_inner_objects_are_not_found) {
    EXPECT_FALSE(field(R"({"metadata":{"kind":"code"}})", "kind").found);
    EXPECT_FALSE(field(R"({"a":"kind","b":"\"kind\":1"})", "kind").found);
}

TEST(Payload, escapes_stay_so_that_a_value_can_be_written_again) {
    EXPECT_EQ(field(R"({"a":"say \"hi\" \\","b":1})", "a").value, R"(say \"hi\" \\)");
}

TEST(Payload, what_does_not_fit_is_not_found) {
    EXPECT_TRUE(field(R"({"a":"1234"})", "a", 5).found);
    const Field cut = field(R"({"a":"1234"})", "a", 4);
    EXPECT_FALSE(cut.found);
    EXPECT_EQ(cut.value, "");
}

TEST(Payload, what_is_no_object_has_no_fields) {
    for (const char* json :
         {"", " ", "{", "{}", "{a:1}", "[]", "\"a\"", "{\"a", "{\"a\"", "{\"a\" 1}", "null", "{\"b\":1 \"a\":2}", "{\"\\"}) {
        EXPECT_FALSE(field(json, "a").found) << json;
    }
}

TEST(Payload, every_cut_of_a_payload_ends) {
    const std::string json = R"({"task_id":"t-\"1","metadata":{"kind":[1,{"x":"y"}]},"agent_id":"coder-1"})";
    for (std::size_t length = 0; length < json.size(); ++length) {
        EXPECT_FALSE(field(json.substr(0, length), "missing").found);
    }
    EXPECT_EQ(field(json, "agent_id").value, "coder-1");
}

}  // namespace
