// What a test and its children share beside the bus: memory, results, and waiting for each other.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <new>
#include <optional>
#include <system_error>
#include <thread>
#include <type_traits>

#include "tests/support/process.hpp"

namespace swarmbus::test {

// One T in memory that forked children share with the test. It survives whoever is killed.
template <typename T>
class Shared {
public:
    Shared() {
        void* at = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
        object_ = new (at) T{};
    }
    ~Shared() { ::munmap(object_, sizeof(T)); }
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;

    T* operator->() const noexcept { return object_; }
    T& operator*() const noexcept { return *object_; }

private:
    static_assert(std::is_trivially_destructible_v<T>);
    T* object_;
};

// Results from children to the test, or the other way round: whole values of one type.
template <typename T>
class Channel {
public:
    Channel() {
        if (::pipe2(ends_, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
    }
    ~Channel() {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

    void send(const T& value) const {
        if (::write(ends_[1], &value, sizeof value) != sizeof value) throw std::system_error(errno, std::generic_category(), "write");
    }
    // Nothing if none came within `patience`.
    std::optional<T> receive(std::chrono::milliseconds patience = kPatience) const {
        pollfd ready{ends_[0], POLLIN, 0};
        T value;
        if (::poll(&ready, 1, static_cast<int>(patience.count())) != 1) return std::nullopt;
        if (::read(ends_[0], &value, sizeof value) != sizeof value) return std::nullopt;
        return value;
    }

private:
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 4096);  // written and read in one piece
    int ends_[2];
};

// Looks until `holds()` is true; false when it isn't within `patience`.
template <typename Condition>
bool eventually(Condition&& holds, std::chrono::nanoseconds patience = kPatience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    return true;
}

}  // namespace swarmbus::test
