// A child process of a test: forked, runs one function, killed and reaped at the latest when the
// test leaves its scope.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace swarmbus::test {

using namespace std::chrono_literals;

#if defined(__SANITIZE_THREAD__)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif
inline constexpr bool kSanitized = kThreadSanitizer || kAddressSanitizer;

// The longest a test waits for something that should happen soon: only a failing test takes it.
inline constexpr std::chrono::seconds kPatience = kSanitized ? 60s : 20s;

// Rounds of a loop that is long because chance has to hit something; fewer where every step is slow.
constexpr int rounds(int full, int sanitized) { return kSanitized ? sanitized : full; }

// What a child did not find as it should be. The child ends with status 1 and this text on stderr.
inline void require(bool holds, const std::string& what) {
    if (!holds) throw std::runtime_error(what);
}

class Process {
public:
    // Runs body() in a child, which ends with status 0 when it returns and 1 when it throws.
    template <typename Body>
    explicit Process(Body&& body) : pid_(fork_child()) {
        if (pid_ == 0) run(std::forward<Body>(body));
    }
    ~Process() { kill(); }
    Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)), status_(other.status_) {}
    Process& operator=(Process&&) = delete;

    pid_t pid() const noexcept { return pid_; }

    // SIGKILL, and waits until it is gone. Harmless when it has ended already.
    void kill() noexcept;
    void signal(int number) noexcept;
    // SIGSTOP; returns when every thread of it stands still.
    void stop();
    void resume() noexcept;

    // The status of wait(), once the child has ended; nothing if that takes longer than `patience`.
    std::optional<int> wait(std::chrono::nanoseconds patience = kPatience);
    // For who waits for the child by other means and has found its end.
    void note_end(int status) noexcept { status_ = status; }
    // Whether the child ended by itself with status 0.
    bool ended_well(std::chrono::nanoseconds patience = kPatience);

private:
    static pid_t fork_child();
    template <typename Body>
    [[noreturn]] static void run(Body&& body) {
        try {
            std::forward<Body>(body)();
        } catch (const std::exception& e) {
            leave(e.what());
        }
        leave(nullptr);
    }
    [[noreturn]] static void leave(const char* fault);

    pid_t pid_;
    std::optional<int> status_;
};

}  // namespace swarmbus::test
