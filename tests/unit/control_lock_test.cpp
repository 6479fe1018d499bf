// The control lock, and computing the derived data anew when its holder died half way.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include "src/error.hpp"
#include "src/life/control_lock.hpp"
#include "src/life/file_lock.hpp"
#include "tests/unit/private_segment.hpp"

namespace swarmbus::test {
namespace {

class Rebuilding : public testing::Test {
protected:
    // As a holder of the control lock that died half way leaves it.
    void mark_dirty() { bus->header().control |= 1; }
    void next_control_operation() { ControlLock(*bus).acquire(); }

    PrivateSegment bus;
};

TEST_F(Rebuilding, puts_bits_right_that_a_dead_holder_left_wrong) {
    bus.type("agent.created");
    bus.type("task.created");
    const std::uint32_t agents = bus.subscribe({"agent.*"});
    const std::uint32_t all = bus.subscribe({"*"});
    write_patterns(*bus, agents, {"task.*"});  // died between the patterns and the routes
    bus.route_word(0, 1) = 1;                  // of an inbox that is not there
    bus.summary(0) |= 2;
    bus.route_word(1, 0) = 0;  // and lost bits
    bus.summary(1) = 0;
    mark_dirty();
    next_control_operation();
    EXPECT_FALSE(bus.routed(0, agents));
    EXPECT_TRUE(bus.routed(1, agents));
    EXPECT_TRUE(bus.routed(0, all));
    EXPECT_TRUE(bus.routed(1, all));
    EXPECT_EQ(bus.route_word(0, 1), 0u);
    EXPECT_EQ(bus.summary(0), 1u);
    EXPECT_EQ(bus.summary(1), 1u);
}

TEST_F(Rebuilding, frees_what_was_being_taken) {
    ASSERT_EQ(take_inbox(*bus, {0, 1}, 16, Overflow::drop_oldest), 0u);
    mark_dirty();
    next_control_operation();
    EXPECT_EQ(bus.gate(0).status(), SWB_GATE_FREE);
    EXPECT_EQ(bus->subscriber(0).block_bytes, 0u);
}

TEST_F(Rebuilding, counts_a_type_that_was_entered_whole_and_not_counted) {
    const std::uint32_t all = bus.subscribe({"*"});
    bus.type("agent.created");
    bus.type("task.created");
    bus->header().types_used = 1;
    bus->route(1).words[0] = bus.summary(1) = 0;
    mark_dirty();
    next_control_operation();
    EXPECT_EQ(types_in_use(*bus), 2u);
    EXPECT_EQ(find_type(*bus, "task.created"), 1u);
    EXPECT_TRUE(bus.routed(1, all));
}

TEST_F(Rebuilding, leaves_a_type_out_whose_name_was_not_finished) {
    bus.type("agent.created");
    bus.type("task.created");
    bus->header().types_used = 1;
    bus->type(1).name_bytes = 0;
    mark_dirty();
    next_control_operation();
    EXPECT_EQ(types_in_use(*bus), 1u);
    EXPECT_EQ(bus.type("agent.left"), 1u) << "its place is taken by the next";
    EXPECT_EQ(type_name(*bus, 1), "agent.left");
}

TEST_F(Rebuilding, survives_a_table_of_types_that_is_full) {
    for (int i = 0; i < 8; ++i) bus.type("t" + std::to_string(i));
    mark_dirty();
    next_control_operation();
    EXPECT_EQ(types_in_use(*bus), 8u);
}

TEST_F(Rebuilding, is_not_done_when_the_last_holder_finished) {
    bus.type("agent.created");
    bus.route_word(0, 0) = 4;
    next_control_operation();
    EXPECT_EQ(bus.route_word(0, 0), 4u);
}

TEST_F(Rebuilding, ends_with_the_mark_cleared_and_a_new_generation) {
    const std::uint64_t before = control_generation(*bus);
    mark_dirty();
    next_control_operation();
    EXPECT_EQ(control_generation(*bus) & 1, 0u);
    EXPECT_GT(control_generation(*bus), before);
}

struct ControlLocks : testing::Test {
    PrivateSegment bus;
};

TEST_F(ControlLocks, mark_an_operation_by_an_odd_generation_and_its_end_by_a_new_even_one) {
    ControlLock lock(*bus);
    const std::uint64_t before = control_generation(*bus);
    {
        ControlLock::Guard guard = lock.acquire();
        EXPECT_EQ(control_generation(*bus), before);
        guard.mark_dirty();
        EXPECT_EQ(control_generation(*bus), before + 1);
        guard.mark_clean();
        EXPECT_EQ(control_generation(*bus), before + 2);
    }
    EXPECT_EQ(bus->header().control_holder_pid, static_cast<std::uint32_t>(::getpid()));
}

TEST_F(ControlLocks, that_are_held_elsewhere_are_refused_in_time_naming_the_holder) {
    // Another description of the file, as another process has.
    const Descriptor other(::open(("/proc/self/fd/" + std::to_string(bus->fd())).c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_GE(other.get(), 0);
    ASSERT_TRUE(try_lock(other.get(), SWB_LOCK_CONTROL));
    bus->header().control_holder_pid = 4242;
    ControlLock lock(*bus);
    try {
        lock.acquire(1'000'000);
        FAIL() << "not refused";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), SWB_ERR_BUSY);
        EXPECT_NE(std::string(e.what()).find("process 4242"), std::string::npos) << e.what();
    }
    unlock(other.get(), SWB_LOCK_CONTROL);
    lock.acquire(1'000'000);
}

TEST_F(ControlLocks, are_given_back_when_the_guard_ends_also_a_moved_one) {
    ControlLock lock(*bus);
    {
        ControlLock::Guard guard = lock.acquire();
        const ControlLock::Guard moved = std::move(guard);
    }
    const Descriptor other(::open(("/proc/self/fd/" + std::to_string(bus->fd())).c_str(), O_RDWR | O_CLOEXEC));
    EXPECT_FALSE(lock_is_held(other.get(), SWB_LOCK_CONTROL));
    const ControlLock::Guard again = lock.acquire();
    EXPECT_TRUE(lock_is_held(other.get(), SWB_LOCK_CONTROL));
}

}  // namespace
}  // namespace swarmbus::test
