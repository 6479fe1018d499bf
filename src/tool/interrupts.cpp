#include "src/tool/interrupts.hpp"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <optional>
#include <utility>

#include "src/tool/exit_status.hpp"

namespace swarmbus::tool {
namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};

std::atomic<int> caught{0};
std::atomic<swb_bus*> waiting{nullptr};
std::function<void()> work_while_waiting;

constexpr std::chrono::nanoseconds kWorkPause = std::chrono::milliseconds(200);

void on_signal(int signal) {
    const int error = errno;
    caught.store(signal);
    if (swb_bus* bus = waiting.load()) swb_stop(bus);
    errno = error;
}

// poll() that no signal can slip past: they are let in only while it waits.
int poll_or_interrupt(pollfd* files, nfds_t count, std::optional<std::chrono::nanoseconds> timeout) {
    sigset_t ours, before;
    ::sigemptyset(&ours);
    for (const int signal : kSignals) ::sigaddset(&ours, signal);
    ::sigprocmask(SIG_BLOCK, &ours, &before);
    int ready = 0;
    if (caught.load() == 0) {
        timespec limit{};
        if (timeout) {
            limit.tv_sec = static_cast<time_t>(timeout->count() / 1'000'000'000);
            limit.tv_nsec = static_cast<long>(timeout->count() % 1'000'000'000);
        }
        ready = ::ppoll(files, count, timeout ? &limit : nullptr, &before);
    }
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    check_interrupts();
    return ready;
}

// The same for waits that may be long.
void wait_and_work(pollfd* files, nfds_t count) {
    for (;;) {
        if (poll_or_interrupt(files, count, work_while_waiting ? std::make_optional(kWorkPause) : std::nullopt) != 0) return;
        if (!work_while_waiting) return;
        work_while_waiting();
    }
}

}  // namespace

void catch_interrupts() noexcept {
    for (const int signal : kSignals) {
        struct sigaction before {};
        ::sigaction(signal, nullptr, &before);
        if (before.sa_handler == SIG_IGN) continue;  // nohup, or a shell's background job
        struct sigaction ours {};
        ours.sa_handler = on_signal;
        ours.sa_flags = static_cast<int>(SA_RESETHAND);  // no SA_RESTART: blocking calls return
        ::sigaction(signal, &ours, nullptr);
    }
    ::signal(SIGPIPE, SIG_IGN);
}

void check_interrupts() {
    if (const int signal = caught.load()) throw Ended{signal};
}

StopOnInterrupt::StopOnInterrupt(Bus& bus) noexcept { waiting.store(bus.raw()); }
StopOnInterrupt::~StopOnInterrupt() { waiting.store(nullptr); }

WhileWaiting::WhileWaiting(std::function<void()> work) { work_while_waiting = std::move(work); }
WhileWaiting::~WhileWaiting() { work_while_waiting = nullptr; }

void wait_for_input(bool watch_output) {
    pollfd files[] = {{STDIN_FILENO, POLLIN, 0}, {STDOUT_FILENO, 0, 0}};
    wait_and_work(files, watch_output ? 2 : 1);
    if (watch_output && (files[1].revents & (POLLERR | POLLHUP)) != 0) throw Ended{SIGPIPE};
}

void wait_for_output() {
    pollfd output{STDOUT_FILENO, POLLOUT, 0};
    poll_or_interrupt(&output, 1, std::nullopt);
}

void sleep_until(Clock::time_point time) {
    for (auto now = Clock::now(); now < time; now = Clock::now()) {
        poll_or_interrupt(nullptr, 0, work_while_waiting ? std::min<Clock::duration>(time - now, kWorkPause) : time - now);
        if (work_while_waiting) work_while_waiting();
    }
}

}  // namespace swarmbus::tool
