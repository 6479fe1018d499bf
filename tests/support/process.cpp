#include "tests/support/process.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#if defined(__SANITIZE_ADDRESS__)
namespace {
const pid_t test_process = ::getpid();
}
// A child holds what its parent had at the fork, some of it only in registers it never gets back:
// leaks are looked for in the test's own process.
extern "C" int __lsan_is_turned_off() { return ::getpid() != test_process; }
#endif

namespace swarmbus::test {

pid_t Process::fork_child() {
    std::fflush(nullptr);
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that is killed leaves no children
        const pid_t now = ::getppid();
        if (now != parent && now != 0) ::_exit(1);  // 0: we are the first of a PID namespace
    }
    return pid;
}

void Process::leave(const char* fault) {
    if (fault != nullptr) std::fprintf(stderr, "child %d: %s\n", static_cast<int>(::getpid()), fault);
    std::exit(fault == nullptr ? 0 : 1);
}

void Process::signal(int number) noexcept {
    if (pid_ > 0 && !status_) ::kill(pid_, number);
}

void Process::kill() noexcept {
    if (pid_ <= 0 || status_) return;
    ::kill(pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {}
    status_ = status;
}

void Process::stop() {
    signal(SIGSTOP);
    int status = 0;
    while (::waitpid(pid_, &status, WUNTRACED) < 0) {
        if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitpid");
    }
    if (!WIFSTOPPED(status)) {
        status_ = status;
        throw std::runtime_error("the child ended before it could be stopped");
    }
}

void Process::resume() noexcept { signal(SIGCONT); }

std::optional<int> Process::wait(std::chrono::nanoseconds patience) {
    if (status_) return status_;
    const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "pidfd_open");
    const auto deadline = std::chrono::steady_clock::now() + patience;
    int ready = 0;
    do {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        pollfd ended{fd, POLLIN, 0};
        ready = ::poll(&ended, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    } while (ready < 0 && errno == EINTR);
    ::close(fd);
    if (ready <= 0) return std::nullopt;
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {}
    status_ = status;
    return status_;
}

bool Process::ended_well(std::chrono::nanoseconds patience) {
    const std::optional<int> status = wait(patience);
    return status && WIFEXITED(*status) && WEXITSTATUS(*status) == 0;
}

}  // namespace swarmbus::test
