#include "src/tool/bench_support.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <stdexcept>

#include <swarmbus/swarmbus.hpp>

namespace swarmbus::tool {
namespace {

constexpr std::uint64_t kPatienceNs = 10'000'000'000;

}  // namespace

BenchBus::BenchBus() : name_("bench-" + std::to_string(::getpid())), owner_(::getpid()) {}

BenchBus::~BenchBus() {
    if (::getpid() == owner_) swb_remove(name_.c_str(), 1);
}

Peer::Peer(int core, const std::function<void()>& work) {
    std::cout.flush();
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("a benchmark could not start its second process (fork)");
    if (pid_ > 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    int status = 0;
    try {
        pin_to_core(core);
        work();
    } catch (const std::exception& e) {
        std::fprintf(stderr, "swarmbus: bench: %s\n", e.what());
        status = 1;
    }
    std::exit(status);
}

Peer::~Peer() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

void Peer::join() {
    int status = 0;
    const pid_t ended = ::waitpid(pid_, &status, 0);
    pid_ = -1;
    if (ended < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) throw std::runtime_error("the benchmark's second process failed");
}

void pin_to_core(int core) {
    // What was allowed before the first pinning; peers started later count from there too.
    static const cpu_set_t allowed = [] {
        cpu_set_t at_start;
        CPU_ZERO(&at_start);
        ::sched_getaffinity(0, sizeof at_start, &at_start);
        return at_start;
    }();
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (!CPU_ISSET(cpu, &allowed) || core-- > 0) continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        ::sched_setaffinity(0, sizeof one, &one);
        return;
    }
}

void* map_shared(std::size_t bytes) {
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) throw std::runtime_error("a benchmark could not map shared memory");
    return memory;
}

void unmap_shared(void* memory, std::size_t bytes) noexcept { ::munmap(memory, bytes); }

std::uint64_t now_ns() noexcept {
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(t.tv_nsec);
}

void spin_until(const std::function<bool()>& condition, const char* what) {
    const std::uint64_t deadline = now_ns() + kPatienceNs;
    while (!condition()) {
        if (now_ns() > deadline) throw std::runtime_error(std::string("waited ten seconds for ") + what);
    }
}

void nap_until(const std::function<bool()>& condition, const char* what) {
    const std::uint64_t deadline = now_ns() + kPatienceNs;
    while (!condition()) {
        if (now_ns() > deadline) throw std::runtime_error(std::string("waited ten seconds for ") + what);
        const timespec nap{0, 200'000};
        ::nanosleep(&nap, nullptr);
    }
}

void add_percentiles(nlohmann::ordered_json& out, const std::string& name, std::vector<std::uint64_t>& samples) {
    std::sort(samples.begin(), samples.end());
    const auto at = [&](double share) { return samples[static_cast<std::size_t>(share * static_cast<double>(samples.size() - 1))]; };
    out[name + "_p50"] = at(0.5);
    out[name + "_p99"] = at(0.99);
    out[name + "_p99_9"] = at(0.999);
    out[name + "_max"] = samples.back();
}

void print_line(const nlohmann::ordered_json& object, bool json) {
    if (json) {
        std::cout << object.dump() << std::endl;
        return;
    }
    for (const auto& [key, value] : object.items()) {
        std::cout << key << ' ' << (value.is_string() ? value.get<std::string>() : value.dump()) << "  ";
    }
    std::cout << std::endl;
}

}  // namespace swarmbus::tool
