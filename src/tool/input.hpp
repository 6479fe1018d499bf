// Standard input as payloads, and files.
#pragma once

#include <string>
#include <string_view>

namespace swarmbus::tool {

// No event is larger; keeps endless input from filling the memory.
inline constexpr std::size_t kMostInput = std::size_t{64} << 20;

// Of a file. Throws std::runtime_error that names it.
std::string contents_of(const std::string& path);

class Input {
public:
    // watch_output: waiting for input ends when the reader of standard output has gone.
    explicit Input(bool watch_output) noexcept : watch_output_(watch_output) {}

    // All there is up to its end.
    std::string all();

    // Whether next_line() has a line without waiting.
    bool line_is_there() const noexcept { return text_.find('\n', at_) != std::string::npos; }
    // The next line, without its newline; false at the end. Valid until the next call.
    bool next_line(std::string_view& line);

private:
    bool read_more();  // false at the end

    const bool watch_output_;
    std::string text_;
    std::size_t at_ = 0;  // in text_: what has been used
};

}  // namespace swarmbus::tool
