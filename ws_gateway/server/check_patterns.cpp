// Patterns that clients ask for.
#include <swarmbus.h>

#include "ws_gateway/server/commands.hpp"

namespace swarmbus::gateway {

void check_patterns(const Patterns& patterns, std::size_t most, CommandId id) {
    if (patterns.size() > most) {
        throw CommandError("too_many_patterns", std::to_string(patterns.size()) + " patterns; a client may have " + std::to_string(most),
                           id);
    }
    for (const std::string& pattern : patterns) {
        std::size_t position = 0;
        if (pattern.find('\0') != std::string::npos) throw CommandError("bad_pattern", "a pattern has a NUL", id);
        if (swb_check_pattern(pattern.c_str(), &position) != SWB_OK) throw CommandError("bad_pattern", swb_last_error(), id);
    }
}

}  // namespace swarmbus::gateway
