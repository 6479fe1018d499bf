// A child that is led through its code one machine instruction at a time, to be killed or stopped
// exactly there.
#pragma once

#include <sys/ptrace.h>

#include <cstdint>
#include <optional>
#include <string>

#include "tests/support/process.hpp"

namespace swarmbus::test {

class SteppedProcess {
public:
    // In the child: body() runs and calls mark() where the test takes over.
    template <typename Body>
    explicit SteppedProcess(Body&& body)
        : process_([&body] {
              require(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0, "ptrace is not allowed");
              body();
          }) {}

    static void mark();

    // Runs the child until its next mark(). False if it ended instead.
    bool run_to_mark();
    // Runs up to `count` instructions; returns how many it were before the next mark() or the end.
    int step(int count);
    // The same for system calls: each counts twice, before and after it.
    int step_system_calls(int count);
    // Runs to the next call of that kind (SYS_fcntl), with that second argument if one is given, which is not made yet.
    // False if the next mark() or the end came first.
    bool run_to_system_call(long kind, std::optional<std::uint64_t> second_argument = {});
    // Runs to the system call of this number, counted from 1, which does nothing and fails. False if
    // the next mark() or the end came first.
    bool fail_system_call(int number, int error);
    static constexpr bool kCanFailSystemCalls =
#if defined(__x86_64__)
        true;
#else
        false;
#endif
    // The child gets this signal before it runs on: its handler interrupts this very instruction.
    void interrupt_with(int signal) { pending_signal_ = signal; }
    // Lets go of the child: when this returns it stands still here, until it is resumed or killed by others.
    void leave_stopped();
    // Lets go of the child: it runs on.
    void leave_running();

    Process& process() noexcept { return process_; }

private:
    enum class Stop { stepped, marked, ended };
    Stop go_on(int request);

    Process process_;
    bool attached_ = false;
    int pending_signal_ = 0;
};

// The child runs from mark to mark for ever; in each turn it gets the signal one instruction later than in the one
// before. `after` runs when that turn is over. How many instructions a turn has.
template <typename After>
int interrupt_at_every_instruction(SteppedProcess& child, int signal, After&& after) {
    int length = 1;
    for (int at = 0; at < length; ++at) {
        const std::string where = "after " + std::to_string(at) + " instructions";
        require(child.run_to_mark(), "it did not begin " + where);
        if (at == 0) {
            length = child.step(100'000);
            require(length < 10'000, "a turn has " + std::to_string(length) + " instructions or more");
            continue;
        }
        if (child.step(at) < at) break;  // this turn was a little shorter
        child.interrupt_with(signal);
        require(child.run_to_mark(), "it did not go on " + where);
        after();
    }
    return length;
}

}  // namespace swarmbus::test
