// A picture of characters, built in memory and then written to a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace swarm {

// What a character means; the canvas knows how that looks.
enum class Ink : unsigned char { plain, faint, title, heading, agent, task, system, good, bad, bar };

class Canvas {
public:
    Canvas(std::size_t rows, std::size_t columns);

    std::size_t rows() const noexcept { return rows_; }
    std::size_t columns() const noexcept { return columns_; }

    // Writes text from (row, column) on, at most `width` characters; what lies outside the canvas is
    // cut off. Bytes that are not printable ASCII become '?': text comes from whoever publishes, and
    // must not steer the terminal. Returns the column behind the text.
    std::size_t put(std::size_t row, std::size_t column, std::string_view text, Ink ink = Ink::plain,
                    std::size_t width = std::string::npos);
    // The same, so that it ends before `end`.
    void put_right(std::size_t row, std::size_t end, std::string_view text, Ink ink = Ink::plain);
    // Gives all of a row, or a part of it, another look.
    void paint(std::size_t row, std::size_t column, std::size_t width, Ink ink);

    // One row as text, without trailing spaces; for tests.
    std::string text(std::size_t row) const;
    // One row for a terminal, its end included. colours: false leaves out all but bold and reverse.
    std::string ansi(std::size_t row, bool colours) const;

private:
    struct Cell {
        char character = ' ';
        Ink ink = Ink::plain;
    };
    std::size_t rows_, columns_;
    std::vector<Cell> cells_;
};

}  // namespace swarm
