#include "output.hpp"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace swarm {

Written write_output(std::string_view text) noexcept {
    constexpr int kPatienceMs = 500;
    while (!text.empty()) {
        pollfd output{STDOUT_FILENO, POLLOUT, 0};
        const int ready = ::poll(&output, 1, kPatienceMs);
        if (ready == 0) return Written::not_all;
        // A pipe that has room takes this much without blocking.
        const ssize_t written = ::write(STDOUT_FILENO, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
        if (written >= 0) {
            text.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno != EINTR && errno != EAGAIN) {
            return Written::gone;
        }
    }
    return Written::all;
}

}  // namespace swarm
