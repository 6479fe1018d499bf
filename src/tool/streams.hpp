// Standard output and standard error.
#pragma once

#include <string>
#include <string_view>

namespace swarmbus::tool {

// Fills the places of closed standard streams, so that no file opened later gets their numbers and
// with them our messages. What fills standard input and output can't be read or written: using a
// stream that was closed stays an error.
void open_missing_standard_streams() noexcept;

// Prints "swarmbus: TEXT" on standard error.
void complain(std::string_view text) noexcept;

// Standard output. Text collects until flush(); an error is never swallowed.
class Output {
public:
    // Throws if nothing can be printed: for commands that print only after a while.
    Output();

    std::string& text() noexcept { return text_; }
    // Throws Ended when the reader has gone or a signal came, std::runtime_error on other failures.
    void flush();
    void flush_if_large() {
        if (text_.size() >= kLarge) flush();
    }
    // Whether the reader of the output has gone, which is otherwise only noticed by writing.
    bool reader_has_gone() const noexcept;
    // Whether to print in colour: on a terminal that has it, unless NO_COLOR is set.
    bool colours() const noexcept;

private:
    static constexpr std::size_t kLarge = 32768;

    std::string text_;
};

}  // namespace swarmbus::tool
