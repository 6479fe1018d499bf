// A compiled pattern. Matching reads each byte of the type once: the pattern's elements are the
// bits of a set, and every byte moves the set on (a Shift-And automaton with elements that repeat).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace swarmbus::core {

// What the bus publishes about itself. Only patterns that begin with it match its types: who asks for
// everything means what the agents say.
inline constexpr std::string_view kOwnDomain = "bus.";

class Pattern {
public:
    // Throws SWB_ERR_PATTERN with the position of the fault.
    explicit Pattern(std::string_view text);

    bool matches(std::string_view type) const noexcept;
    const std::string& text() const noexcept { return text_; }

private:
    __extension__ typedef unsigned __int128 Set;    // one bit per element; a pattern has at most 127
    static constexpr std::size_t kCharacters = 39;  // a-z 0-9 _ - .

    static std::size_t index_of(char c) noexcept;

    std::string text_;
    std::array<Set, kCharacters> accepts_{};  // which elements accept the character
    Set repeats_ = 0;                         // elements that may take several characters
    Set last_ = 0;
};

}  // namespace swarmbus::core
