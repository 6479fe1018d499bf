#include "src/clock/clock.hpp"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

namespace swarmbus::core {
namespace {

constexpr double kAnchorNs = 1e6;

std::uint64_t nanoseconds(const timespec& t) noexcept {
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(t.tv_nsec);
}

std::uint64_t read(clockid_t clock) noexcept {
    timespec t{};
    ::clock_gettime(clock, &t);
    return nanoseconds(t);
}

#if defined(__x86_64__)
std::uint64_t cycles() noexcept { return __rdtsc(); }

bool counter_is_invariant() noexcept {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid(0x80000007u, &a, &b, &c, &d) != 0 && (d & (1u << 8)) != 0;
}

// Nanoseconds per cycle, measured once a process over about 200 microseconds.
double measure_ns_per_cycle() noexcept {
    if (!counter_is_invariant()) return 0;
    const std::uint64_t t0 = read(CLOCK_MONOTONIC_RAW), c0 = cycles();
    std::uint64_t t1 = t0;
    while (t1 - t0 < 200'000) t1 = read(CLOCK_MONOTONIC_RAW);
    const std::uint64_t c1 = cycles();
    return c1 > c0 ? static_cast<double>(t1 - t0) / static_cast<double>(c1 - c0) : 0;
}

double process_ns_per_cycle() noexcept {
    static const double value = measure_ns_per_cycle();
    return value;
}
#else
std::uint64_t cycles() noexcept { return 0; }
double process_ns_per_cycle() noexcept { return 0; }
#endif

}  // namespace

std::uint64_t wall_clock_ns() noexcept { return read(CLOCK_REALTIME); }
std::uint64_t monotonic_ns() noexcept { return read(CLOCK_MONOTONIC); }

std::uint64_t StampClock::now_ns() noexcept {
    const std::uint64_t now = cycles();
    const std::uint64_t since = now - anchor_cycles_;
    if (since >= valid_cycles_) [[unlikely]]
        return anchor(now);
    return anchor_ns_ + (since * scale_ >> 32);
}

std::uint64_t StampClock::anchor(std::uint64_t now) noexcept {
    // A real system call. Once a millisecond its price does not matter, and the loop within the vDSO has
    // no end for whoever steps through it more slowly than the kernel's clock ticks.
    timespec wall{};
    const bool told = ::syscall(SYS_clock_gettime, CLOCK_REALTIME, &wall) == 0;
    anchor_ns_ = told ? nanoseconds(wall) : read(CLOCK_REALTIME);
    anchor_cycles_ = now;
    const double ns_per_cycle = process_ns_per_cycle();
    scale_ = static_cast<std::uint64_t>(ns_per_cycle * 4294967296.0);
    valid_cycles_ = ns_per_cycle > 0 ? static_cast<std::uint64_t>(kAnchorNs / ns_per_cycle) : 0;
    return anchor_ns_;
}

}  // namespace swarmbus::core
