#include "src/tool/streams.hpp"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "src/tool/exit_status.hpp"
#include "src/tool/interrupts.hpp"

namespace swarmbus::tool {

void open_missing_standard_streams() noexcept {
    constexpr int kUnusable[] = {O_WRONLY, O_RDONLY, O_RDWR};
    for (int fd = 0; fd <= 2; ++fd) {
        // open() takes the lowest free number, and those below are taken.
        if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", kUnusable[fd]) != fd) ::_exit(kFailure);
    }
}

void complain(std::string_view text) noexcept {
    std::string line = "swarmbus: ";
    line += text;
    line += '\n';
    // One write, so that messages of several processes do not mix. There is nowhere to tell a failure.
    [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, line.data(), line.size());
}

Output::Output() {
    const int flags = ::fcntl(STDOUT_FILENO, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) throw std::runtime_error("standard output is closed");
}

void Output::flush() {
    const std::string text = std::move(text_);
    text_.clear();
    for (std::string_view rest = text; !rest.empty();) {
        wait_for_output();
        // A pipe that has room takes this much without blocking, so a signal always gets through.
        const ssize_t written = ::write(STDOUT_FILENO, rest.data(), std::min<std::size_t>(rest.size(), PIPE_BUF));
        if (written >= 0) {
            rest.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno == EPIPE) {
            throw Ended{SIGPIPE};
        } else if (errno != EINTR && errno != EAGAIN) {
            throw std::runtime_error(std::string("writing to standard output: ") + std::strerror(errno));
        }
    }
}

bool Output::reader_has_gone() const noexcept {
    pollfd output{STDOUT_FILENO, 0, 0};
    return ::poll(&output, 1, 0) == 1 && (output.revents & (POLLERR | POLLHUP)) != 0;
}

bool Output::colours() const noexcept {
    const char* no_color = std::getenv("NO_COLOR");
    const char* terminal = std::getenv("TERM");
    return ::isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0') && terminal != nullptr &&
           std::strcmp(terminal, "dumb") != 0;
}

}  // namespace swarmbus::tool
