// The members of a JSON object, or the elements of a list, each as it was written: with every digit.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace swarmbus::core {

struct JsonPart {
    std::string name;       // of a member; empty for an element
    std::string_view text;  // its value, in the text that was read
};

struct JsonParts {
    enum { object, list, neither } shape = neither;
    std::vector<JsonPart> parts;  // in their order; names may be there twice
};

// Throws SWB_ERR_PAYLOAD with the position of what is no JSON, or nested so deeply that no part could be read by
// JsonDocument. Texts of parts are still to be read by it: only it looks for half surrogate pairs.
JsonParts json_parts_of(std::string_view text);

}  // namespace swarmbus::core
