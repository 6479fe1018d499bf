#include "tests/faults/point_stepper.hpp"

#include <dlfcn.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <system_error>

#include "tests/support/process_mark.hpp"

namespace swarmbus::faults {
namespace {

using test::kMark;
// A step costs about as much as five stops at a watched word, with the instructions between points.
constexpr std::size_t kStopsPerPoint = 5;
constexpr std::size_t kMostCandidates = 24;
constexpr timespec kLook{0, 20'000};
constexpr int kLooksUntilAsleep = 25;

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

bool changes_mappings(std::uint64_t call) noexcept {
    return call == SYS_mmap || call == SYS_munmap || call == SYS_mprotect || call == SYS_mremap;
}

bool touches(const Point& point, std::uint64_t word) noexcept {
    return !point.system_call() && point.offset < word + 8 && point.offset + point.bytes > word;
}

void run_anywhere(pid_t pid) noexcept {
    cpu_set_t all;
    CPU_ZERO(&all);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) CPU_SET(cpu, &all);
    ::sched_setaffinity(pid, sizeof all, &all);
}

}  // namespace

std::string describe(const Point& point) {
    char text[256];
    Dl_info info{};
    const char* file = "?";
    std::uint64_t place = point.code;
    if (::dladdr(reinterpret_cast<const void*>(point.code), &info) != 0 && info.dli_fname != nullptr) {
        file = std::strrchr(info.dli_fname, '/') != nullptr ? std::strrchr(info.dli_fname, '/') + 1 : info.dli_fname;
        place -= reinterpret_cast<std::uint64_t>(info.dli_fbase);
    }
    const auto at = static_cast<unsigned long long>(place);
    if (point.system_call()) {
        std::snprintf(text, sizeof text, "%s+0x%llx, system call %llu", file, at, static_cast<unsigned long long>(point.offset));
    } else {
        const auto offset = static_cast<unsigned long long>(point.offset & ((std::uint64_t{1} << kArenaShift) - 1));
        const char* where = point.offset >> kArenaShift == 0 ? "file" : "arena";
        std::snprintf(text, sizeof text, "%s+0x%llx, %s offset %llu, %u bytes", file, at, where, offset, point.bytes);
    }
    return text;
}

void PointStepper::mark() {
    static const pid_t own = ::getpid();  // asked for at the first mark, where nobody counts
    ::kill(own, kMark);
}

user_regs_struct PointStepper::registers() const {
    user_regs_struct r{};
    if (::ptrace(PTRACE_GETREGS, process_.pid(), nullptr, &r) != 0) fail("ptrace GETREGS");
    return r;
}

std::string PointStepper::how_it_stands() {
    const std::optional<int> status = process_.wait(std::chrono::nanoseconds(0));
    if (!status) return at_the_end_ ? "it came to the end" : "it is on its way";
    return WIFSIGNALED(*status) ? "it was killed by signal " + std::to_string(WTERMSIG(*status))
                                : "it ended with status " + std::to_string(WEXITSTATUS(*status));
}

// Called between instructions: the child is about to make the call.
bool PointStepper::sleeps_in(const user_regs_struct& r) const noexcept {
    const int command = static_cast<int>(r.rsi) & FUTEX_CMD_MASK;
    return r.rax == SYS_futex && (command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET);
}

PointStepper::Stop PointStepper::await(bool may_sleep) {
    int status = 0;
    for (int looks = 0;; ++looks) {
        const pid_t got = ::waitpid(process_.pid(), &status, may_sleep ? WNOHANG : 0);
        if (got == process_.pid()) break;
        if (got < 0 && errno != EINTR) fail("waitpid");
        if (looks == kLooksUntilAsleep && wake_) std::exchange(wake_, nullptr)();
        if (got == 0) ::nanosleep(&kLook, nullptr);
    }
    if (!WIFSTOPPED(status)) {
        process_.note_end(status);
        at_the_end_ = true;
        return Stop::ended;
    }
    if ((WSTOPSIG(status) & 0x7f) == SIGTRAP) return Stop::stepped;
    if (test::is_mark(process_.pid(), status)) {
        at_the_end_ = true;
        return Stop::marked;
    }
    if (WSTOPSIG(status) == kMark) return Stop::disturbed;
    pending_signal_ = WSTOPSIG(status);  // the child's own business
    return Stop::stepped;
}

PointStepper::Stop PointStepper::go_on(int request, bool may_sleep) {
    Stop stop = Stop::disturbed;
    while (stop == Stop::disturbed) {
        const auto signal = static_cast<std::uintptr_t>(std::exchange(pending_signal_, 0));
        if (::ptrace(static_cast<__ptrace_request>(request), process_.pid(), nullptr, signal) != 0) fail("ptrace");
        stop = await(may_sleep);
    }
    return stop;
}

bool PointStepper::run_to_mark() {
    Stop stop = Stop::stepped;
    if (!attached_) {
        attached_ = true;
        stop = await(false);
        if (stop != Stop::ended) ::ptrace(PTRACE_SETOPTIONS, process_.pid(), nullptr, PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD);
    }
    while (stop == Stop::stepped || stop == Stop::disturbed) stop = go_on(PTRACE_CONT);
    if (stop == Stop::ended) return false;
    at_the_end_ = false;
    mappings_.read(process_.pid());
    // On one core with the stepping process, a step takes a third of the time.
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET(static_cast<unsigned>(::sched_getcpu()), &here);
    ::sched_setaffinity(0, sizeof here, &here);
    ::sched_setaffinity(process_.pid(), sizeof here, &here);
    return true;
}

bool PointStepper::next_point() {
    while (!at_the_end_) {
        const user_regs_struct before = registers();
        const Instruction instruction = decoder_.look_at(before, mappings_);
        if (instruction.system_call && before.rax == SYS_kill && before.rsi == kMark) {
            while (go_on(PTRACE_CONT) == Stop::stepped) {}
            return false;
        }
        const bool may_sleep = instruction.system_call && sleeps_in(before);
        if (go_on(PTRACE_SINGLESTEP, may_sleep) != Stop::stepped) return false;
        if (!instruction.system_call && !instruction.offset) continue;
        if (instruction.system_call) {
            if (changes_mappings(before.rax)) mappings_.read(process_.pid());
            last_ = {before.rip, before.rax};
            return true;
        }
        if (instruction.repeats) {  // the whole of it is one point
            if (before.rcx == 0) continue;
            while (registers().rip == before.rip) {
                if (go_on(PTRACE_SINGLESTEP) != Stop::stepped) return false;
            }
        }
        last_ = {before.rip, *instruction.offset, instruction.bytes, instruction.repeats, instruction.compares_and_swaps};
        return true;
    }
    return false;
}

bool PointStepper::next_system_call() {
    if (at_the_end_ || go_on(PTRACE_SYSCALL) != Stop::stepped) return false;
    user_regs_struct r = registers();
    last_ = {r.rip - 2, r.orig_rax};
    r.rax = r.orig_rax;
    if (go_on(PTRACE_SYSCALL, sleeps_in(r)) != Stop::stepped) return false;
    if (changes_mappings(last_.offset)) mappings_.read(process_.pid());
    return true;
}

void PointStepper::watch(std::uint64_t address, bool on) {
    constexpr std::uintptr_t kReadOrWriteOf8Bytes = 1 | 3u << 16 | 2u << 18;
    const auto set = [&](int number, std::uintptr_t value) {
        const auto at = reinterpret_cast<void*>(offsetof(user, u_debugreg) + static_cast<std::size_t>(number) * sizeof(long));
        if (::ptrace(PTRACE_POKEUSER, process_.pid(), at, value) != 0) fail("ptrace POKEUSER");
    };
    if (!on) return set(7, 0);
    set(0, address);
    set(7, kReadOrWriteOf8Bytes);
}

bool PointStepper::run_to_access(std::uint64_t address, std::uint32_t times) {
    watch(address, true);
    Stop stop = Stop::stepped;
    while (times > 0 && stop == Stop::stepped) {
        stop = go_on(PTRACE_CONT);
        if (pending_signal_ == 0) --times;
    }
    if (stop != Stop::ended) watch(address, false);
    return stop == Stop::stepped;
}

std::size_t PointStepper::to_point(std::size_t number, const std::vector<Point>& trace) {
    number = std::min(number, trace.size());
    std::size_t passed = 0;
    // From system call to system call as far as these go.
    for (std::size_t i = 0; i < number; ++i) {
        if (!trace[i].system_call()) continue;
        if (!next_system_call()) return passed;
        passed = i + 1;
    }
    // Then to a word of this point, or of one close before it, that is not accessed often.
    std::size_t best = 0, cheapest = (number - passed) * kStopsPerPoint;
    std::uint32_t best_times = 0;
    for (std::size_t candidate = number; candidate > passed && number - candidate < kMostCandidates; --candidate) {
        const std::uint64_t word = trace[candidate - 1].offset & ~std::uint64_t{7};
        std::uint32_t times = 0;
        bool repeated = false;
        for (std::size_t i = passed; i < candidate; ++i) {
            if (!touches(trace[i], word)) continue;
            ++times;
            repeated = repeated || trace[i].repeats;  // stops an unknown number of times
        }
        const std::size_t costs = times + (number - candidate) * kStopsPerPoint;
        if (repeated || costs >= cheapest) continue;
        best = candidate, best_times = times, cheapest = costs;
    }
    if (best > 0) {
        const Point& landmark = trace[best - 1];
        if (const auto address = mappings_.address_of(landmark.offset & ~std::uint64_t{7})) {
            if (!run_to_access(*address, best_times)) return passed;
            last_ = landmark;
            passed = best;
        }
    }
    while (passed < number && next_point()) ++passed;
    return passed;
}

bool PointStepper::run_to_claim() {
    while (next_point()) {
        if (last_.compares_and_swaps) return true;
    }
    return false;
}

void PointStepper::detach(int signal) {
    if (::ptrace(PTRACE_DETACH, process_.pid(), nullptr, static_cast<std::uintptr_t>(signal)) != 0) fail("ptrace DETACH");
    run_anywhere(process_.pid());
    run_anywhere(0);
}

void PointStepper::leave_stopped() {
    detach(SIGSTOP);
    int status = 0;
    while (::waitpid(process_.pid(), &status, WUNTRACED) < 0) {
        if (errno != EINTR) fail("waitpid");
    }
    if (!WIFSTOPPED(status)) process_.note_end(status);
}

void PointStepper::kill() noexcept {
    process_.kill();
    run_anywhere(0);
}

void PointStepper::leave_running() { detach(std::exchange(pending_signal_, 0)); }

}  // namespace swarmbus::faults
