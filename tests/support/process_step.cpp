#include "tests/support/process_step.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "tests/support/process_mark.hpp"

namespace swarmbus::test {
namespace {

constexpr int kSystemCall = 0x80;  // beside SIGTRAP, once that was asked for

}  // namespace

// Not raise(): its way to the system call and back is as long as a publish.
void SteppedProcess::mark() { ::kill(::getpid(), kMark); }

SteppedProcess::Stop SteppedProcess::go_on(int request) {
    const pid_t pid = process_.pid();
    for (;;) {
        const auto signal = static_cast<std::uintptr_t>(std::exchange(pending_signal_, 0));
        if (::ptrace(static_cast<__ptrace_request>(request), pid, nullptr, signal) != 0) {
            throw std::system_error(errno, std::generic_category(), "ptrace");
        }
        int status = 0;
        while (::waitpid(pid, &status, 0) < 0) {
            if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitpid");
        }
        if (!WIFSTOPPED(status)) {
            process_.note_end(status);
            return Stop::ended;
        }
        if ((WSTOPSIG(status) & ~kSystemCall) == SIGTRAP) return Stop::stepped;
        if (is_mark(pid, status)) return Stop::marked;
        pending_signal_ = WSTOPSIG(status);  // the child's own business
    }
}

bool SteppedProcess::run_to_mark() {
    Stop stop = Stop::stepped;
    if (!attached_) {  // the child runs to its first mark by itself
        int status = 0;
        while (::waitpid(process_.pid(), &status, 0) < 0 && errno == EINTR) {}
        if (!WIFSTOPPED(status)) {
            process_.note_end(status);
            return false;
        }
        attached_ = true;
        if (is_mark(process_.pid(), status)) return true;
        pending_signal_ = WSTOPSIG(status);
    }
    while (stop == Stop::stepped) stop = go_on(PTRACE_CONT);
    return stop == Stop::marked;
}

int SteppedProcess::step(int count) {
    for (int done = 0; done < count; ++done) {
        if (go_on(PTRACE_SINGLESTEP) != Stop::stepped) return done;
    }
    return count;
}

int SteppedProcess::step_system_calls(int count) {
    for (int done = 0; done < count; ++done) {
        if (go_on(PTRACE_SYSCALL) != Stop::stepped) return done;
    }
    return count;
}

bool SteppedProcess::run_to_system_call(long kind, std::optional<std::uint64_t> second_argument) {
    const auto tell_calls_apart = static_cast<std::uintptr_t>(PTRACE_O_TRACESYSGOOD);
    if (::ptrace(PTRACE_SETOPTIONS, process_.pid(), nullptr, tell_calls_apart) != 0) {
        throw std::system_error(errno, std::generic_category(), "ptrace");
    }
    while (step_system_calls(1) == 1) {
        __ptrace_syscall_info info{};
        if (::ptrace(PTRACE_GET_SYSCALL_INFO, process_.pid(), sizeof info, &info) < 0) {
            throw std::system_error(errno, std::generic_category(), "ptrace");
        }
        if (info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == static_cast<std::uint64_t>(kind) &&
            (!second_argument || info.entry.args[1] == *second_argument)) {
            return true;
        }
    }
    return false;
}

bool SteppedProcess::fail_system_call([[maybe_unused]] int number, [[maybe_unused]] int error) {
    if (step_system_calls(2 * number - 1) < 2 * number - 1) return false;
#if defined(__x86_64__)
    const auto registers = [&](__ptrace_request request, user_regs_struct& r) {
        if (::ptrace(request, process_.pid(), nullptr, &r) != 0) throw std::system_error(errno, std::generic_category(), "ptrace");
    };
    user_regs_struct r{};
    registers(PTRACE_GETREGS, r);
    const auto asked = r.rdi;
    const bool moves_the_break = r.orig_rax == SYS_brk;  // its failure is told by the old break, not by an error
    if (moves_the_break) {
        r.rdi = 0;
    } else {
        r.orig_rax = ~0ull;  // no such call
    }
    registers(PTRACE_SETREGS, r);
    if (step_system_calls(1) < 1) return false;
    registers(PTRACE_GETREGS, r);
    r.rdi = asked;
    if (!moves_the_break) r.rax = static_cast<unsigned long long>(-static_cast<long long>(error));
    registers(PTRACE_SETREGS, r);
#endif
    return true;
}

void SteppedProcess::leave_stopped() {
    if (::ptrace(PTRACE_DETACH, process_.pid(), nullptr, static_cast<std::uintptr_t>(SIGSTOP)) != 0) {
        throw std::system_error(errno, std::generic_category(), "ptrace");
    }
    int status = 0;
    while (::waitpid(process_.pid(), &status, WUNTRACED) < 0 && errno == EINTR) {}
    if (!WIFSTOPPED(status)) process_.note_end(status);
}

void SteppedProcess::leave_running() {
    if (::ptrace(PTRACE_DETACH, process_.pid(), nullptr, static_cast<std::uintptr_t>(std::exchange(pending_signal_, 0))) != 0) {
        throw std::system_error(errno, std::generic_category(), "ptrace");
    }
}

}  // namespace swarmbus::test
