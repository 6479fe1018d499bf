#include "src/tool/input.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "src/tool/interrupts.hpp"

namespace swarmbus::tool {
namespace {

constexpr std::size_t kReadSize = 65536;

}  // namespace

std::string contents_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string contents{std::istreambuf_iterator<char>(file), {}};
    if (!file.is_open() || file.bad()) throw std::runtime_error("'" + path + "' can't be read");
    return contents;
}

std::string Input::all() {
    while (read_more()) {}
    return std::move(text_);
}

bool Input::next_line(std::string_view& line) {
    std::size_t searched = at_;
    for (;;) {
        const std::size_t end = text_.find('\n', searched);
        if (end != std::string::npos) {
            line = std::string_view(text_).substr(at_, end - at_);
            at_ = end + 1;
            return true;
        }
        text_.erase(0, at_);
        at_ = 0;
        searched = text_.size();
        if (read_more()) continue;
        if (text_.empty()) return false;
        line = text_;  // the last line has no newline
        at_ = text_.size();
        return true;
    }
}

bool Input::read_more() {
    if (text_.size() > kMostInput) throw std::runtime_error("standard input has a payload of more than 64 MiB");
    const std::size_t had = text_.size();
    text_.resize(had + kReadSize);
    for (;;) {
        wait_for_input(watch_output_);
        const ssize_t got = ::read(STDIN_FILENO, text_.data() + had, kReadSize);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got < 0) throw std::runtime_error(std::string("reading standard input: ") + std::strerror(errno));
        text_.resize(had + static_cast<std::size_t>(got));
        return got > 0;
    }
}

}  // namespace swarmbus::tool
