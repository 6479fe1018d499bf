// Texts as URI references, and back.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "src/types/base64.hpp"
#include "src/types/uri_reference.hpp"
#include "src/types/utf8.hpp"

namespace swarmbus::core {
namespace {

using namespace std::literals;

TEST(UriReference, of_what_is_one_already_is_the_same) {
    for (const char* text : {"agent-7", "swarmbus-4711", "/mycontext/4", "https://github.com/cloudevents/spec/pull?x=1#part",
                             "mailto:cncf-wg@lists.cncf.io", "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
                             "http://user:word@[2001:db8::7]:80/c=GB?one", "//host:80/x", "a/b:c", "#", "..", "tag:x"}) {
        EXPECT_EQ(uri_reference_of(text), text);
    }
}

TEST(UriReference, has_what_it_can_not_hold_percent_encoded) {
    EXPECT_EQ(uri_reference_of("agent 7"), "agent%207");
    EXPECT_EQ(uri_reference_of("100%"), "100%25");
    EXPECT_EQ(uri_reference_of("a%20b"), "a%2520b");
    EXPECT_EQ(uri_reference_of("größe 漢"), "gr%C3%B6%C3%9Fe%20%E6%BC%A2");
    EXPECT_EQ(uri_reference_of("\xff\x01\"<>\\^`{|}"), "%FF%01%22%3C%3E%5C%5E%60%7B%7C%7D");
}

TEST(UriReference, of_a_text_whose_colons_and_brackets_would_mean_something_else_has_them_encoded) {
    for (const auto& [text, reference] : {std::pair{"7:agent", "7%3Aagent"},
                                          {":", "%3A"},
                                          {"//host:port", "//host%3Aport"},
                                          {"a[0]", "a%5B0%5D"},
                                          {"a#b#c", "a%23b%23c"},
                                          {"//[x]/", "//%5Bx%5D/"},
                                          {"//a@b@c", "//a%40b%40c"},
                                          {"a?[", "a%3F%5B"},
                                          {"//[", "//%5B"},
                                          {"gr\xc3\xb6:x", "gr%C3%B6%3Ax"}}) {
        EXPECT_EQ(uri_reference_of(text), reference);
    }
}

TEST(UriReference, gives_back_every_text) {
    std::string bytes;
    for (int byte = 1; byte < 256; ++byte) bytes += static_cast<char>(byte);
    for (const std::string& text : {bytes, "%"s, "%2"s, "%zz"s, "%25%20"s, "a b"s, "7:x"s, "//x:y"s, "http://x/a%2Fb"s, ""s}) {
        EXPECT_EQ(text_of_uri_reference(uri_reference_of(text)), text);
    }
}

TEST(UriReference, that_is_none_is_read_as_it_stands) {
    EXPECT_EQ(text_of_uri_reference("50% off %4"), "50% off %4");
    EXPECT_EQ(text_of_uri_reference("%c3%a9%C3%A9%41"), "ééA");
}

TEST(Base64, is_decoded_as_it_was_encoded) {
    for (const std::string& bytes : {""s, "f"s, "fo"s, "foo"s, "foob"s, "\0\xff\xfe"s}) {
        std::string text;
        append_base64(text, bytes);
        EXPECT_EQ(decode_base64(text), bytes) << text;
    }
    EXPECT_EQ(decode_base64("Zm9vYg=="), "foob");
}

TEST(Base64, that_is_none_is_refused) {
    for (const char* text : {"Z", "Zg", "Zg=", "Zg==Zg==", "Z===", "====", "Zm 9", "Zm9\n", "Zm-_", "Zm9vY=g="})
        EXPECT_EQ(decode_base64(text), std::nullopt) << text;
}

TEST(Utf8, is_mended_where_it_is_none) {
    EXPECT_EQ(with_utf8_mended("a\xff\xc3\xa9\xed\xa0\x80z\xe2\x82"), "a�é���z��");
    EXPECT_TRUE(is_utf8("é漢😀"));
    EXPECT_FALSE(is_utf8("\xed\xa0\x80"));
}

}  // namespace
}  // namespace swarmbus::core
