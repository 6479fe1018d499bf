// A bus with its survivors and a victim: the setting of one trial, in a process of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/faults/operation.hpp"
#include "tests/faults/point_stepper.hpp"
#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"

namespace swarmbus::faults {

class Stage {
public:
    Stage(Board& board, Operation& operation);

    const std::string& bus() const noexcept { return name_.str(); }
    const test::BusName& bus_name() const noexcept { return name_; }
    Board& board() const noexcept { return board_; }
    Operation& operation() const noexcept { return operation_; }

    // ---- for operations ----
    void publish(PublisherId publisher, Type type, std::uint32_t count, std::size_t bytes = 0);
    // Does not wait until it is done.
    void start_publishing(PublisherId publisher, Type type, std::uint32_t count, std::chrono::nanoseconds block_timeout);
    void enter_types(std::uint32_t count);
    void take(ReaderId reader, std::uint32_t count);
    void release(ReaderId reader);
    void start_running(std::uint32_t reader);
    void drain_all();
    // Another publisher of this type, that stands still between claim and commit.
    void stall_a_publisher(Type type);
    // Killed within a publish: it leaves several writers, an event committed to one inbox and a claim in
    // another, two inboxes of its own, a full one of this policy ("victim") and an empty one, and a
    // wake socket.
    void leave_a_dead_participant(Overflow policy);
    void kill_the_stalled() { helper_->kill(); }

    // ---- for the trial ----
    PointStepper& victim();
    void start_victim();
    // Survivors publish and read on. What is late after this time; empty if nothing.
    std::string go_on(std::uint32_t events, std::chrono::nanoseconds patience);
    // The stalled publisher comes to its end.
    std::string resume_the_stalled();
    // The victim, having lived through its operation, comes to its end.
    std::string end_victim();
    std::string end_survivors();
    std::uint32_t survivors() const noexcept { return static_cast<std::uint32_t>(publishers_.size() + readers_.size()); }

private:
    void order(Orders& orders, const Task& task);
    void order_reader(std::uint32_t reader, const Task& task);
    std::string who_is_late(std::chrono::steady_clock::time_point deadline);

    Board& board_;
    Operation& operation_;
    const test::BusName name_;
    std::vector<test::Process> publishers_, readers_;
    std::optional<PointStepper> victim_, helper_;
};

}  // namespace swarmbus::faults
