#include "canvas.hpp"

#include <gtest/gtest.h>

namespace swarm {
namespace {

TEST(Canvas, cuts_off_what_lies_outside) {
    Canvas canvas(2, 5);
    EXPECT_EQ(canvas.put(0, 3, "abcdef"), 5u);
    canvas.put(7, 0, "nowhere");
    canvas.put(1, 9, "nowhere");
    EXPECT_EQ(canvas.text(0), "   ab");
    EXPECT_EQ(canvas.text(1), "");
}

TEST(Canvas, cuts_text_to_a_width) {
    Canvas canvas(1, 10);
    canvas.put(0, 0, "abcdef", Ink::plain, 3);
    EXPECT_EQ(canvas.text(0), "abc");
}

TEST(Canvas, puts_text_to_the_right) {
    Canvas canvas(1, 10);
    canvas.put_right(0, 6, "42");
    EXPECT_EQ(canvas.text(0), "    42");
}

TEST(Canvas, keeps_the_front_of_text_that_is_too_long_for_the_right) {
    Canvas canvas(1, 3);
    canvas.put_right(0, 10, "abcdef");
    EXPECT_EQ(canvas.text(0), "abc");
}

TEST(Canvas, text_from_others_can_not_steer_the_terminal) {
    Canvas canvas(1, 20);
    canvas.put(0, 0, "\x1b[2J\n\r\t\x7f\xc3\xa4\x9b");
    EXPECT_EQ(canvas.text(0), "?[2J???????");
    const std::string ansi = canvas.ansi(0, true);
    EXPECT_EQ(ansi.find("\x1b[2J"), std::string::npos);
    EXPECT_EQ(ansi.find('\n'), std::string::npos);
}

TEST(Canvas, changes_the_look_only_where_the_ink_changes) {
    Canvas canvas(1, 4);
    canvas.put(0, 1, "ab", Ink::good);
    EXPECT_EQ(canvas.ansi(0, true), "\x1b[0m \x1b[0;32mab\x1b[0m \x1b[0m");
}

TEST(Canvas, has_no_colours_when_none_are_wanted) {
    for (const Ink ink : {Ink::faint, Ink::agent, Ink::task, Ink::system, Ink::good}) {
        Canvas canvas(1, 1);
        canvas.put(0, 0, "x", ink);
        EXPECT_EQ(canvas.ansi(0, false), "\x1b[0m\x1b[0mx\x1b[0m");
    }
}

TEST(Canvas, paints_over_text) {
    Canvas canvas(1, 3);
    canvas.put(0, 0, "abc");
    canvas.paint(0, 1, 100, Ink::heading);
    EXPECT_EQ(canvas.ansi(0, true), "\x1b[0ma\x1b[0;1mbc\x1b[0m");
}

}  // namespace
}  // namespace swarm
