#include "terminal.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace swarm {
namespace {

// The alternate screen, no cursor, no automatic line wrap; and back.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
constexpr std::string_view kLeave = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";

std::string_view environment(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

}  // namespace

bool Terminal::usable() noexcept {
    const std::string_view kind = environment("TERM");
    return ::isatty(STDOUT_FILENO) == 1 && !kind.empty() && kind != "dumb";
}

Terminal::Terminal() : colours_(environment("NO_COLOR").empty()), keys_(::isatty(STDIN_FILENO) == 1) { enter(); }

void Terminal::enter() {
    if (keys_ && ::tcgetattr(STDIN_FILENO, &before_) == 0) {
        termios quiet = before_;
        quiet.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);  // Ctrl-C and Ctrl-Z stay signals
        quiet.c_cc[VMIN] = 0;
        quiet.c_cc[VTIME] = 0;
        ::tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
    } else {
        keys_ = false;
    }
    entered_ = true;
    shown_.clear();
    write_output(kEnter);
}

void Terminal::leave() noexcept {
    if (!entered_) return;
    entered_ = false;
    write_output(kLeave);
    if (!keys_) return;
    ::tcflush(STDIN_FILENO, TCIFLUSH);  // what was typed meanwhile is not meant for the shell
    ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

Terminal::Size Terminal::size() const noexcept {
    winsize window{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_row > 0 && window.ws_col > 0) {
        return {window.ws_row, window.ws_col};
    }
    return {24, 80};
}

Written Terminal::show(const Canvas& canvas) {
    std::vector<std::string> rows;
    std::string text;
    // After a change of size the terminal may have moved everything.
    if (shown_.size() != canvas.rows()) text += "\x1b[2J";
    for (std::size_t row = 0; row < canvas.rows(); ++row) {
        rows.push_back(canvas.ansi(row, colours_));
        if (shown_.size() == canvas.rows() && shown_[row] == rows[row]) continue;
        text += "\x1b[" + std::to_string(row + 1) + ";1H" + rows[row];
    }
    const Written written = write_output(text);
    if (written == Written::all) shown_ = std::move(rows);
    else shown_.clear();
    return written;
}

char Terminal::key() noexcept {
    char key = 0;
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (!keys_ || ::poll(&input, 1, 0) != 1 || ::read(STDIN_FILENO, &key, 1) != 1) return 0;
    return key;
}

}  // namespace swarm
