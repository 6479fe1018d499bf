// A child that is the first process of a PID namespace of its own.
#pragma once

#include <sched.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <stdexcept>

#include "tests/support/process.hpp"

namespace swarmbus::test {

class NamespacedProcess {
public:
    // A namespace begins with a child of who made it: the process between waits for it, and takes it
    // along when it is killed.
    template <typename Body>
    explicit NamespacedProcess(Body&& body)
        : outer_([&body] {
              require(::unshare(CLONE_NEWPID) == 0, "a PID namespace is not allowed");
              Process first([&body] {
                  require(::getpid() == 1, "the first of its namespace");
                  body();
              });
              require(first.ended_well(std::chrono::hours(1)), "the first process of the namespace");
          }) {}

    // All processes of the namespace.
    void kill() noexcept { outer_.kill(); }
    bool ended_well(std::chrono::nanoseconds patience = kPatience) { return outer_.ended_well(patience); }

private:
    Process outer_;
};

inline bool pid_namespaces_are_allowed() {
    Process tries([] { ::_exit(::unshare(CLONE_NEWPID) == 0 ? 0 : 1); });
    return tries.ended_well();
}

}  // namespace swarmbus::test
