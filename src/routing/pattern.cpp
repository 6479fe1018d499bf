#include "src/routing/pattern.hpp"

#include "src/routing/name.hpp"

namespace swarmbus::core {

std::size_t Pattern::index_of(char c) noexcept {
    if (c >= 'a' && c <= 'z') return static_cast<std::size_t>(c - 'a');
    if (c >= '0' && c <= '9') return static_cast<std::size_t>(26 + (c - '0'));
    if (c == '_') return 36;
    if (c == '-') return 37;
    if (c == '.') return 38;
    return kCharacters;
}

Pattern::Pattern(std::string_view text) : text_(text) {
    check_pattern(text);
    Set element = 1;
    for (const char c : text_) {
        if (c == '*' || c == '>' || c == '+') {
            for (std::size_t i = 0; i < kCharacters; ++i) {
                if (c != '+' || i != index_of('.')) accepts_[i] |= element;
            }
            repeats_ |= element;
        } else {
            accepts_[index_of(c)] |= element;
        }
        last_ = element;
        element <<= 1;
    }
}

bool Pattern::matches(std::string_view type) const noexcept {
    if (type.starts_with(kOwnDomain) && !text_.starts_with(kOwnDomain)) return false;
    Set reached = 0;  // elements that the bytes so far can end in
    Set start = 1;
    for (const char c : type) {
        const std::size_t i = index_of(c);
        if (i == kCharacters) return false;
        reached = ((reached << 1) | start | (reached & repeats_)) & accepts_[i];
        if (reached == 0) return false;
        start = 0;
    }
    return (reached & last_) != 0;
}

}  // namespace swarmbus::core
