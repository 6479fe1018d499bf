// How a traced child says that it has come to a certain place: by a signal to itself.
#pragma once

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/wait.h>

namespace swarmbus::test {

// Stops a traced process; one that was let go ignores it.
inline constexpr int kMark = SIGWINCH;

// Whether a child that has stopped with this status marks a place. A terminal that changes its size sends the same signal
// to all processes that run in it.
inline bool is_mark(pid_t child, int status) noexcept {
    siginfo_t info{};
    return WSTOPSIG(status) == kMark && ::ptrace(PTRACE_GETSIGINFO, child, nullptr, &info) == 0 && info.si_code == SI_USER &&
           info.si_pid == child;
}

}  // namespace swarmbus::test
