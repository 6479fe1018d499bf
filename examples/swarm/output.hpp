// Standard output, which may be a pipe whose reader goes or dawdles, or a terminal that stands still.
#pragma once

#include <string_view>

namespace swarm {

enum class Written {
    all,
    not_all,  // it took no more for a while
    gone      // nobody will read it any more
};

// Never blocks for longer than about half a second without progress. SIGPIPE must be ignored.
Written write_output(std::string_view text) noexcept;

}  // namespace swarm
