#include "signals.hpp"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

namespace swarm {
namespace {

constexpr int kEnding[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
constexpr int kOthers[] = {SIGWINCH, SIGTSTP, SIGCHLD};

sigset_t held;

bool was_ignored(int signal) noexcept {
    struct sigaction action {};
    ::sigaction(signal, nullptr, &action);
    return action.sa_handler == SIG_IGN;
}

}  // namespace

void hold_signals() noexcept {
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGCHLD, SIG_DFL);  // ignored, the kernel would not tell how a child ended
    ::sigemptyset(&held);
    for (const int signal : kOthers) ::sigaddset(&held, signal);
    for (const int signal : kEnding) {
        // One that is held back comes even if it was ignored, as by nohup or for a shell's background job.
        if (!was_ignored(signal)) ::sigaddset(&held, signal);
    }
    ::sigprocmask(SIG_BLOCK, &held, nullptr);
}

int wait_for_signal(std::chrono::milliseconds time) noexcept {
    const timespec limit{static_cast<time_t>(time.count() / 1000), static_cast<long>(time.count() % 1000 * 1'000'000)};
    const int signal = ::sigtimedwait(&held, nullptr, &limit);
    return signal > 0 ? signal : 0;
}

bool asks_to_end(int signal) noexcept { return std::find(std::begin(kEnding), std::end(kEnding), signal) != std::end(kEnding); }
bool asks_to_stop(int signal) noexcept { return signal == SIGTSTP; }
bool tells_new_size(int signal) noexcept { return signal == SIGWINCH; }

void stop_until_continued() noexcept { ::raise(SIGSTOP); }

}  // namespace swarm
