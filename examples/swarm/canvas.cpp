#include "canvas.hpp"

#include <algorithm>

namespace swarm {
namespace {

// Select Graphic Rendition; the basic colours follow the terminal's own palette, dark or light.
std::string_view look(Ink ink, bool colours) {
    switch (ink) {
    case Ink::title: return colours ? "\x1b[0;1;7m" : "\x1b[0;7m";
    case Ink::heading: return "\x1b[0;1m";
    case Ink::faint: return colours ? "\x1b[0;2m" : "\x1b[0m";
    case Ink::agent: return colours ? "\x1b[0;36m" : "\x1b[0m";
    case Ink::task: return colours ? "\x1b[0;35m" : "\x1b[0m";
    case Ink::system: return colours ? "\x1b[0;33m" : "\x1b[0m";
    case Ink::good: return colours ? "\x1b[0;32m" : "\x1b[0m";
    case Ink::bad: return colours ? "\x1b[0;1;31m" : "\x1b[0;1m";
    case Ink::bar: return colours ? "\x1b[0;46m" : "\x1b[0;7m";
    case Ink::plain: break;
    }
    return "\x1b[0m";
}

bool printable(char c) noexcept { return c >= ' ' && c <= '~'; }

}  // namespace

Canvas::Canvas(std::size_t rows, std::size_t columns) : rows_(rows), columns_(columns), cells_(rows * columns) {}

std::size_t Canvas::put(std::size_t row, std::size_t column, std::string_view text, Ink ink, std::size_t width) {
    text = text.substr(0, width);
    if (row >= rows_) return column;
    for (const char c : text) {
        if (column >= columns_) break;
        cells_[row * columns_ + column++] = {printable(c) ? c : '?', ink};
    }
    return column;
}

void Canvas::put_right(std::size_t row, std::size_t end, std::string_view text, Ink ink) {
    end = std::min(end, columns_);
    if (text.size() > end) text.remove_suffix(text.size() - end);
    put(row, end - text.size(), text, ink);
}

void Canvas::paint(std::size_t row, std::size_t column, std::size_t width, Ink ink) {
    if (row >= rows_) return;
    for (; column < columns_ && width > 0; ++column, --width) cells_[row * columns_ + column].ink = ink;
}

std::string Canvas::text(std::size_t row) const {
    std::string text;
    for (std::size_t column = 0; column < columns_; ++column) text += cells_[row * columns_ + column].character;
    return text.erase(text.find_last_not_of(' ') + 1);
}

std::string Canvas::ansi(std::size_t row, bool colours) const {
    std::string text(look(Ink::plain, colours));
    Ink ink = Ink::plain;
    for (std::size_t column = 0; column < columns_; ++column) {
        const Cell& cell = cells_[row * columns_ + column];
        if (cell.ink != ink) text += look(ink = cell.ink, colours);
        text += cell.character;
    }
    return text += look(Ink::plain, colours);
}

}  // namespace swarm
