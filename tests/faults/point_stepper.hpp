// A child that is led from point to point: a point is an access to shared memory or a system call.
#pragma once

#include <sys/ptrace.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/faults/shared_accesses.hpp"
#include "tests/support/process.hpp"

namespace swarmbus::faults {

struct Point {
    std::uint64_t code = 0;    // address of the instruction
    std::uint64_t offset = 0;  // in the bus file; of a system call its number
    std::uint32_t bytes = 0;   // 0: a system call
    bool repeats = false;
    bool compares_and_swaps = false;
    bool system_call() const noexcept { return bytes == 0; }
};

// For people: the code's place in its library, and what it touches.
std::string describe(const Point& point);

class PointStepper {
public:
    // In the child: body() runs and calls mark() at the start and at the end of what is stepped.
    template <typename Body>
    explicit PointStepper(Body&& body)
        : process_([&body] {
              test::require(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0, "ptrace is not allowed");
              body();
          }) {}

    static void mark();
    // False if it ended instead.
    bool run_to_mark();
    // Runs past the next point. False if the mark at the end, or the child's end, came first.
    bool next_point();
    // The same to the point of this number, counted from 1, of an execution like the one in `trace`,
    // without stepping through all that lies before. Returns how many points were passed.
    std::size_t to_point(std::size_t number, const std::vector<Point>& trace);

    // Runs past the CAS that claims a position. False if there was none.
    bool run_to_claim();

    // Called once when the child sleeps in a futex, with nobody else to wake it.
    void when_it_waits(std::function<void()> wake) { wake_ = std::move(wake); }
    const Point& last() const noexcept { return last_; }
    // For who did not get it to where it should be.
    std::string how_it_stands();

    void kill() noexcept;
    // Lets go of the child and returns when it stands still.
    void leave_stopped();
    void leave_running();
    test::Process& process() noexcept { return process_; }

private:
    enum class Stop { stepped, marked, ended, disturbed };  // the last by a signal that means nothing to the child
    Stop go_on(int request, bool may_sleep = false);
    Stop await(bool may_sleep);
    user_regs_struct registers() const;
    bool sleeps_in(const user_regs_struct& r) const noexcept;
    // Runs through the next system call by two stops.
    bool next_system_call();
    // Runs until this word was accessed so many times.
    bool run_to_access(std::uint64_t address, std::uint32_t times);
    void watch(std::uint64_t address, bool on);
    void detach(int signal);

    test::Process process_;
    BusMappings mappings_;
    Decoder decoder_;
    Point last_;
    std::function<void()> wake_;
    int pending_signal_ = 0;
    bool attached_ = false, at_the_end_ = false;
};

}  // namespace swarmbus::faults
