// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace swarmbus::core {

struct Utf8Character {
    std::size_t bytes;  // 0: there is none
    std::uint32_t code;
};

// The character at the front of a text that is not empty.
Utf8Character first_utf8_character(std::string_view text) noexcept;

bool is_utf8(std::string_view text) noexcept;

// The text with U+FFFD in the place of every byte that is part of no character.
std::string with_utf8_mended(std::string_view text);

}  // namespace swarmbus::core
