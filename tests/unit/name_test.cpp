// What types and patterns may look like, and where exactly they are wrong.
#include <gtest/gtest.h>

#include <string>

#include "src/error.hpp"
#include "src/routing/name.hpp"

namespace swarmbus::core {
namespace {

constexpr std::size_t kNone = std::string::npos;

std::size_t fault_in_type(std::string_view text) {
    const auto fault = find_fault_in_type(text);
    return fault ? fault->position : kNone;
}
std::size_t fault_in_pattern(std::string_view text) {
    const auto fault = find_fault_in_pattern(text);
    return fault ? fault->position : kNone;
}

TEST(TypeNames, are_segments_of_small_letters_digits_underscores_and_hyphens) {
    for (const char* good : {"a", "agent", "agent.created", "agent.status.changed", "0.1.2", "_", "-", "a-b_c.9", "x.y.z.0.1.2.3"}) {
        EXPECT_EQ(fault_in_type(good), kNone) << good;
    }
}

TEST(TypeNames, that_are_bad_are_refused_with_the_position_of_the_first_fault) {
    struct Case {
        std::string_view text;
        std::size_t position;
    };
    for (const Case& c : {
             Case{"", 0},
             Case{".", 0},
             Case{".a", 0},
             Case{"a.", 2},
             Case{"a..b", 2},
             Case{"a.b..", 4},
             Case{"Agent", 0},
             Case{"aGent", 1},
             Case{"agent created", 5},
             Case{"agent.créé", 8},
             Case{"a*", 1},
             Case{"agent.*", 6},
             Case{"+", 0},
             Case{">", 0},
             Case{"a/b", 1},
             Case{"a:b", 1},
             Case{"a\tb", 1},
             Case{"a\n", 1},
             Case{std::string_view("a\0b", 3), 1},
             Case{"a\xff", 1},
             Case{"a{", 1},
             Case{"a`", 1},
             Case{"a@", 1},
         }) {
        EXPECT_EQ(fault_in_type(c.text), c.position) << c.text;
    }
}

TEST(TypeNames, may_have_127_bytes_and_not_128) {
    EXPECT_EQ(fault_in_type(std::string(127, 'a')), kNone);
    EXPECT_EQ(fault_in_type(std::string(128, 'a')), 127u);
    EXPECT_EQ(fault_in_type(std::string(100'000, 'a')), 127u);
}

TEST(PatternTexts, may_hold_wildcards_in_their_places) {
    for (const char* good : {"*", "+", ">", "agent.*", "*.created", "agent.+.changed", "+.+", "agent.>", "+.>", "*.>", "a*b", "a*", "*a",
                             "*.*", "a.*.b", "a-*_", "*a*", "agent.created"}) {
        EXPECT_EQ(fault_in_pattern(good), kNone) << good;
    }
}

TEST(PatternTexts, that_are_bad_are_refused_with_the_position_of_the_first_fault) {
    struct Case {
        std::string_view text;
        std::size_t position;
    };
    for (const Case& c : {
             Case{"", 0},     Case{".*", 0},  Case{"*.", 2},      Case{"a..*", 2},    Case{"**", 1},      Case{"agent.**", 7},
             Case{"a***", 2}, Case{"a+", 1},  Case{"+a", 0},      Case{"a.+b.c", 2},  Case{"++", 0},      Case{"+*", 0},
             Case{"*+", 1},   Case{">.a", 0}, Case{"a.>.b", 2},   Case{"a>", 1},      Case{">a", 0},      Case{">>", 0},
             Case{"a.>*", 2}, Case{"*>", 1},  Case{"agent.?", 6}, Case{"agent.#", 6}, Case{"Agent.*", 0}, Case{"agent.* task.*", 7},
         }) {
        EXPECT_EQ(fault_in_pattern(c.text), c.position) << c.text;
    }
}

TEST(PatternTexts, may_have_127_bytes_and_not_128) {
    EXPECT_EQ(fault_in_pattern(std::string(126, 'a') + "*"), kNone);
    EXPECT_EQ(fault_in_pattern(std::string(127, 'a') + "*"), 127u);
}

TEST(Faults, say_the_position_and_what_is_wrong) {
    EXPECT_EQ(find_fault_in_type("agent.Created")->what, "position 6: 'C' is not one of a-z 0-9 _ - .");
    EXPECT_EQ(find_fault_in_type("a\x01")->what, "position 1: byte 0x01 is not one of a-z 0-9 _ - .");
    EXPECT_EQ(find_fault_in_type("a\xc3\xa9")->what, "position 1: byte 0xc3 is not one of a-z 0-9 _ - .");
    EXPECT_EQ(find_fault_in_type("a.")->what, "position 2: a segment is missing after the last dot");
    EXPECT_EQ(find_fault_in_type(std::string(130, 'a'))->what, "position 127: it has 130 bytes; at most 127 are allowed");
    EXPECT_EQ(find_fault_in_pattern("a.>.b")->what, "position 2: '>' must be the last segment, by itself");
    EXPECT_EQ(find_fault_in_pattern("a!")->what, "position 1: '!' is not one of a-z 0-9 _ - . * + >");
}

TEST(Checks, throw_with_the_code_the_name_and_the_fault) {
    EXPECT_NO_THROW(check_type("agent.created"));
    EXPECT_NO_THROW(check_pattern("agent.*"));
    try {
        check_type("agent.*");
        FAIL() << "not refused";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), SWB_ERR_TYPE_NAME);
        EXPECT_STREQ(e.what(), "event type 'agent.*': position 6: '*' is not one of a-z 0-9 _ - .");
    }
    try {
        check_pattern("agent..*");
        FAIL() << "not refused";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), SWB_ERR_PATTERN);
        EXPECT_STREQ(e.what(), "pattern 'agent..*': position 6: a segment is empty");
    }
}

TEST(Checks, do_not_repeat_endless_input) {
    try {
        check_type(std::string(1'000'000, 'a'));
        FAIL() << "not refused";
    } catch (const Error& e) {
        EXPECT_LT(std::string(e.what()).size(), 400u);
    }
}

TEST(Hashes, of_names_are_FNV_1a_in_every_build) {
    // They lie in the segment: two builds must agree.
    EXPECT_EQ(hash_name(""), 0xcbf29ce484222325u);
    EXPECT_EQ(hash_name("a"), 0xaf63dc4c8601ec8cu);
    EXPECT_EQ(hash_name("foobar"), 0x85944171f73967e8u);
}

}  // namespace
}  // namespace swarmbus::core
