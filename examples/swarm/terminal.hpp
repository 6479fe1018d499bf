// The terminal while the demo draws on it: a screen of its own, keys without echo. Left as it was
// found, also when an exception passes.
#pragma once

#include <termios.h>

#include <cstddef>
#include <string>
#include <vector>

#include "canvas.hpp"
#include "output.hpp"

namespace swarm {

class Terminal {
public:
    struct Size {
        std::size_t rows, columns;
    };

    // Whether standard output is a terminal that can be drawn on.
    static bool usable() noexcept;

    Terminal();
    ~Terminal() { leave(); }
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    void enter();
    void leave() noexcept;

    Size size() const noexcept;
    // Writes the rows that differ from what is there.
    Written show(const Canvas& canvas);
    // The next key that was pressed, or 0.
    char key() noexcept;

private:
    bool entered_ = false;
    bool colours_;
    bool keys_;  // standard input is a terminal
    termios before_{};
    std::vector<std::string> shown_;  // as it was written last; empty: anything may be there
};

}  // namespace swarm
