// Which types a pattern matches.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "src/error.hpp"
#include "src/routing/name.hpp"
#include "src/routing/pattern.hpp"

namespace swarmbus::core {
namespace {

// What the rules say, character by character, by trying everything: slow and plain.
bool matches_slowly(std::string_view pattern, std::string_view type) {
    if (pattern.empty()) return type.empty();
    const char c = pattern[0];
    if (c != '*' && c != '+' && c != '>') {
        return !type.empty() && type[0] == c && matches_slowly(pattern.substr(1), type.substr(1));
    }
    for (std::size_t taken = 1; taken <= type.size(); ++taken) {
        if (c == '+' && type[taken - 1] == '.') return false;
        if (matches_slowly(pattern.substr(1), type.substr(taken))) return true;
    }
    return false;
}

TEST(Patterns, match_exactly_what_the_manual_says) {
    struct Case {
        std::string_view pattern;
        std::vector<std::string_view> matched, others;
    };
    const Case cases[] = {
        {"agent.*",
         {"agent.created", "agent.status.changed", "agent.a.b.c"},
         {"agent", "task.created", "agents.created", "xagent.created"}},
        {"*", {"a", "agent", "agent.created", "agent.status.changed"}, {}},
        {"agent", {"agent"}, {"agents", "agent.created", "agen", "a"}},
        {"agent.created", {"agent.created"}, {"agent.created.now", "agent.create", "agent-created", "xagent.created"}},
        {"agent.+.changed",
         {"agent.status.changed", "agent.x.changed"},
         {"agent.changed", "agent.a.b.changed", "agent.status.changed.now"}},
        {"+", {"agent", "a-b"}, {"agent.created"}},
        {"+.created", {"agent.created", "task.created"}, {"created", "a.b.created"}},
        {"agent.+", {"agent.created"}, {"agent", "agent.status.changed"}},
        {"+.+", {"agent.created"}, {"agent", "agent.status.changed"}},
        {">", {"agent", "agent.created", "agent.status.changed"}, {}},
        {"agent.>", {"agent.created", "agent.status.changed"}, {"agent", "task.created", "agents"}},
        {"+.>", {"agent.created", "agent.status.changed"}, {"agent"}},
        {"agent*", {"agents", "agent.created", "agent-7"}, {"agent", "age"}},
        {"*created", {"agent.created", "recreated"}, {"created", "agent.created.now"}},
        {"*.created", {"agent.created", "a.b.created"}, {"created", "agentcreated", "agent.created.now"}},
        {"a*c", {"abc", "a.c", "abbc", "a.b.c", "acc"}, {"ac", "abcd", "c"}},
        {"a.*.z", {"a.b.z", "a.b.c.z"}, {"a.z", "a.b.z.y"}},
        {"*.*", {"a.b", "a.b.c"}, {"a", "ab"}},
        {"*a*", {"bab", "b.a.b", "aaa"}, {"a", "ab", "ba", "aa"}},
        {"*.+", {"a.b", "a.b.c"}, {"a"}},
        {"*.>", {"a.b", "a.b.c"}, {"a"}},
        {"a_b-9.*", {"a_b-9.x"}, {"a_b-8.x", "a-b-9.x"}},
    };
    for (const Case& c : cases) {
        const Pattern pattern(c.pattern);
        for (const std::string_view type : c.matched) EXPECT_TRUE(pattern.matches(type)) << c.pattern << " " << type;
        for (const std::string_view type : c.others) EXPECT_FALSE(pattern.matches(type)) << c.pattern << " " << type;
    }
}

TEST(Patterns, agree_with_a_slow_matcher_on_random_patterns_and_names) {
    std::uint64_t random = 0x2545f4914f6cdd1du;
    const auto pick = [&random](std::uint64_t below) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        return random % below;
    };
    const auto text = [&](std::string_view alphabet, std::size_t longest) {
        std::string made;
        for (std::size_t n = 1 + pick(longest); n > 0; --n) made += alphabet[pick(alphabet.size())];
        return made;
    };
    int compared = 0, matched = 0;
    while (compared < 200'000) {
        const std::string pattern = text("ab..*+>", 7);
        if (find_fault_in_pattern(pattern)) continue;
        const Pattern compiled(pattern);
        for (int i = 0; i < 20; ++i) {
            const std::string type = text("aab.", 8);
            if (find_fault_in_type(type)) continue;
            ++compared;
            matched += compiled.matches(type);
            ASSERT_EQ(compiled.matches(type), matches_slowly(pattern, type)) << pattern << " " << type;
        }
    }
    EXPECT_GT(matched, compared / 20);
    EXPECT_LT(matched, compared - compared / 20);
}

TEST(Patterns, match_in_time_that_does_not_grow_with_the_number_of_stars) {
    // A matcher that tries every length for each star would not end here.
    std::string pattern;
    while (pattern.size() < 124) pattern += "*a";
    pattern += "*b";
    const Pattern compiled(pattern);
    const std::string type(127, 'a');
    int matched = 0;
    for (int i = 0; i < 100'000; ++i) matched += compiled.matches(type);
    EXPECT_EQ(matched, 0);
    EXPECT_TRUE(compiled.matches(std::string(125, 'a') + "b")) << "one character for each star";
    EXPECT_FALSE(compiled.matches(std::string(124, 'a') + "b")) << "one too few";
    std::string shorter;
    while (shorter.size() < 80) shorter += "*a";
    EXPECT_TRUE(Pattern(shorter).matches(type));
}

TEST(Patterns, use_all_127_bytes) {
    const std::string name(127, 'a');
    EXPECT_TRUE(Pattern(name).matches(name));
    EXPECT_FALSE(Pattern(name).matches(name.substr(1)));
    EXPECT_TRUE(Pattern(std::string(126, 'a') + "*").matches(name));
    EXPECT_TRUE(Pattern(std::string(125, 'a') + ".>").matches(std::string(125, 'a') + ".b"));
    EXPECT_FALSE(Pattern(std::string(126, 'a') + "*").matches(std::string(126, 'a')));
}

TEST(Patterns, match_nothing_that_is_no_type) {
    for (const char* bad : {"", "A", "a b", "\xc3\xa9"}) EXPECT_FALSE(Pattern("*").matches(bad)) << bad;
}

TEST(Patterns, that_are_bad_are_refused_when_compiled) {
    try {
        const Pattern pattern("agent.**");
        FAIL() << "not refused";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), SWB_ERR_PATTERN);
        EXPECT_NE(std::string(e.what()).find("position 7"), std::string::npos);
    }
}

TEST(Patterns, keep_their_text) { EXPECT_EQ(Pattern("agent.+.changed").text(), "agent.+.changed"); }

}  // namespace
}  // namespace swarmbus::core
