// A child that is the first process of a PID namespace of its own.
#pragma once

#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>

#include "tests/support/process.hpp"
#include "tests/support/process_shared.hpp"

namespace swarmbus::test {

class NamespacedProcess {
public:
    // A namespace begins with a child of who made it: the process between waits for that.
    template <typename Body>
    explicit NamespacedProcess(Body&& body)
        : outer_([&body, this] {
              require(::unshare(CLONE_NEWPID) == 0, "a PID namespace is not allowed");
              Process first([&body] {
                  require(::getpid() == 1, "the first of its namespace");
                  body();
              });
              started_.send(first.pid());
              if (!first.ended_well(std::chrono::hours(1))) ::_exit(1);  // it has said why, or was killed
          }) {
        const auto first = started_.receive();
        if (!first) throw std::runtime_error("the namespace did not start");
        first_ = *first;
    }
    ~NamespacedProcess() { kill(); }
    NamespacedProcess(const NamespacedProcess&) = delete;
    NamespacedProcess& operator=(const NamespacedProcess&) = delete;

    // All processes of the namespace; returns when they are gone.
    void kill() noexcept {
        if (ended_) return;
        ::kill(first_, SIGKILL);
        outer_.wait();
        ended_ = true;
    }
    bool ended_well(std::chrono::nanoseconds patience = kPatience) {
        const bool well = outer_.ended_well(patience);
        ended_ = ended_ || outer_.wait(std::chrono::nanoseconds(0)).has_value();
        return well;
    }

private:
    Channel<pid_t> started_;
    Process outer_;
    pid_t first_ = -1;  // as its number is outside
    bool ended_ = false;
};

inline bool pid_namespaces_are_allowed() {
    Process tries([] { ::_exit(::unshare(CLONE_NEWPID) == 0 ? 0 : 1); });
    return tries.ended_well();
}

}  // namespace swarmbus::test
