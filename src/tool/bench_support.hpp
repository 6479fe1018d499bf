// What the benchmarks share: a bus of their own, a peer process on the other core, figures.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace swarmbus::tool {

// A bus name nobody else uses; the bus is removed at the end.
class BenchBus {
public:
    BenchBus();
    ~BenchBus();
    BenchBus(const BenchBus&) = delete;
    BenchBus& operator=(const BenchBus&) = delete;
    const std::string& name() const noexcept { return name_; }

private:
    std::string name_;
    pid_t owner_;
};

// A child process that runs `work` pinned to a core and then exits; ended with its parent. The
// destructor kills it if it still runs.
class Peer {
public:
    Peer(int core, const std::function<void()>& work);
    ~Peer();
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    // Waits for its end; throws std::runtime_error when it failed.
    void join();

private:
    pid_t pid_;
};

// Pins the calling process to a core, if the machine has that many (0 counts from the first).
void pin_to_core(int core);

// A T in memory that this process and its later children share, zeros at first.
template <typename T>
class Shared {
public:
    Shared();
    ~Shared();
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;
    T* operator->() const noexcept { return value_; }
    T& operator*() const noexcept { return *value_; }

private:
    T* value_;
};

void* map_shared(std::size_t bytes);
void unmap_shared(void* memory, std::size_t bytes) noexcept;

template <typename T>
Shared<T>::Shared() : value_(new (map_shared(sizeof(T))) T()) {}
template <typename T>
Shared<T>::~Shared() {
    unmap_shared(value_, sizeof(T));
}

std::uint64_t now_ns() noexcept;  // CLOCK_MONOTONIC: the same in all processes

// Spins until `condition`; throws std::runtime_error after ten seconds.
void spin_until(const std::function<bool()>& condition, const char* what);
// The same, asleep most of the time: leaves the core to the peers.
void nap_until(const std::function<bool()>& condition, const char* what);

// Sorted on the way; adds NAME_p50, NAME_p99, NAME_p99_9 and NAME_max.
void add_percentiles(nlohmann::ordered_json& out, const std::string& name, std::vector<std::uint64_t>& samples);

void print_line(const nlohmann::ordered_json& object, bool json);

}  // namespace swarmbus::tool
