// Signals that end the tool: SIGINT, SIGTERM and SIGHUP, each unless it was ignored at the start.
#pragma once

#include <chrono>
#include <functional>

#include <swarmbus/bus.hpp>

namespace swarmbus::tool {

using Clock = std::chrono::steady_clock;

// Catches the signals from now on: the first one makes check_interrupts() throw, a second one ends
// the process at once. A closed pipe becomes an error of write(), no signal.
void catch_interrupts() noexcept;

// Throws Ended if one of the signals has come.
void check_interrupts();

// While it lives, a signal makes a receiving call of this bus return.
class StopOnInterrupt {
public:
    explicit StopOnInterrupt(Bus& bus) noexcept;
    ~StopOnInterrupt();
    StopOnInterrupt(const StopOnInterrupt&) = delete;
    StopOnInterrupt& operator=(const StopOnInterrupt&) = delete;
};

// While it lives, who waits for input or sleeps calls this about five times a second: for what has to go on meanwhile. What it throws
// ends the wait. One at a time.
class WhileWaiting {
public:
    explicit WhileWaiting(std::function<void()> work);
    ~WhileWaiting();
    WhileWaiting(const WhileWaiting&) = delete;
    WhileWaiting& operator=(const WhileWaiting&) = delete;
};

// Waits for input on standard input; throws Ended when a signal comes, and with `watch_output` also
// when the reader of standard output goes.
void wait_for_input(bool watch_output);

// Waits until standard output can be written to, or has failed; throws Ended when a signal comes.
void wait_for_output();

// Sleeps until then; throws Ended when a signal comes.
void sleep_until(Clock::time_point time);

}  // namespace swarmbus::tool
