// Any text as a URI reference (RFC 3986), and back.
#pragma once

#include <string>
#include <string_view>

namespace swarmbus::core {

// A text that is a URI reference but for characters that such a one can't hold keeps all others; in every other text
// only letters, digits and "-._~/" stand for themselves. The rest is percent-encoded, each byte of it, '%' always. So
// different texts are different references, and text_of_uri_reference() gives back the text. Empty if the text is.
std::string uri_reference_of(std::string_view text);

// Percent-encoded bytes decoded, all else as it is, also what is no URI reference.
std::string text_of_uri_reference(std::string_view reference);

}  // namespace swarmbus::core
