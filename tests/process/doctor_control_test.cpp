// What the doctor says of control operations: under way, stopped, and never finished.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <string>
#include <utility>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process_doctor.hpp"

namespace swarmbus::test {
namespace {

// A process that is led into a control operation.
class ControlOperation : public Doctor {
protected:
    void SetUp() override {
        if (kSanitized) GTEST_SKIP() << "sanitizers make a control operation far too long to be stepped through";
    }
    bool control_lock_is_held() const {
        struct flock lock {};
        lock.l_type = F_WRLCK;
        lock.l_whence = SEEK_SET;
        lock.l_start = SWB_LOCK_CONTROL;
        lock.l_len = 1;
        return ::fcntl(file_, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    }
    bool dirty() const { return (BusTables::now(tables_.header().control) & 1) != 0; }
    void write_control(std::uint64_t word) const {
        require(::pwrite(file_, &word, sizeof word, offsetof(swb_l_header, control)) == sizeof word, "pwrite");
    }
    void subscribe() const {
        Bus bus(name_, small_inbox(Overflow::drop_oldest, "subscriber"));
        SteppedProcess::mark();
        bus.subscribe("victim.*");
    }
    void join() const {
        SteppedProcess::mark();
        const Bus bus(name_);
    }
    // Stands still with the lock from here on.
    void stop_with_lock(SteppedProcess& process) const {
        ASSERT_TRUE(process.run_to_mark());
        while (!control_lock_is_held()) ASSERT_EQ(process.step_system_calls(1), 1);
        const auto pid = static_cast<std::uint32_t>(process.process().pid());
        ASSERT_TRUE(step_until(process, [&] { return BusTables::now(tables_.header().control_holder_pid) == pid; }));
        process.leave_stopped();
    }
};

TEST_F(ControlOperation, in_which_a_process_was_killed_is_told_and_mended) {
    SteppedProcess process([this] { subscribe(); });
    ASSERT_TRUE(process.run_to_mark());
    ASSERT_TRUE(step_until(process, [&] { return dirty(); }));
    const auto pid = static_cast<std::uint32_t>(process.process().pid());
    process.process().kill();
    for (const bool repair : {false, true}) {
        const Examination examination = examine(name_, repair);
        ASSERT_EQ(examination.whats(), (Whats{"dead participant", "unfinished control operation"}));
        EXPECT_EQ(examination.found[1].pid, pid);
        EXPECT_EQ(examination.found[1].repaired, repair);
    }
    EXPECT_FALSE(dirty());
    EXPECT_EQ(whats_of(name_), Whats{});
}

TEST_F(ControlOperation, that_ends_while_the_doctor_looks_is_not_unfinished) {
    { const Bus closed = std::move(bus_); }  // then the doctor asks of no lock but this one
    constexpr std::uint64_t kBegun = 77, kEnded = 78;
    SteppedProcess doctor([this] {
        SteppedProcess::mark();
        require(whats_of(name_) == Whats{}, "all is well");
    });
    ASSERT_TRUE(doctor.run_to_mark());
    write_control(kBegun);
    while (doctor.run_to_system_call(SYS_fcntl, F_OFD_GETLK)) {
        write_control(kEnded);
        if (!doctor.run_to_system_call(SYS_clock_nanosleep)) break;
        write_control(kBegun);  // the second look meets the same
    }
    EXPECT_TRUE(doctor.process().ended_well());
}

// Whoever looks at a busy bus meets some operation every time.
TEST_F(ControlOperation, that_is_not_the_one_the_doctor_saw_before_is_not_unfinished) {
    constexpr std::uint64_t kOne = 77, kAnother = 79;
    SteppedProcess doctor([this] {
        SteppedProcess::mark();
        require(whats_of(name_) == Whats{}, "all is well");
    });
    ASSERT_TRUE(doctor.run_to_mark());
    write_control(kOne);
    ASSERT_TRUE(doctor.run_to_system_call(SYS_clock_nanosleep)) << "it looks again";
    write_control(kAnother);
    doctor.leave_running();
    EXPECT_TRUE(doctor.process().ended_well());
    write_control(kAnother + 1);
}

// Its place is still there at the first look.
TEST_F(ControlOperation, of_who_leaves_meanwhile_leaves_no_dead_participant_for_doctor_and_ps) {
    for (const bool ps : {false, true}) {
        SteppedProcess leaver([this] {
            Bus bus(name_, small_inbox());
            bus.subscribe("leaver.*");
            SteppedProcess::mark();
        });
        ASSERT_TRUE(leaver.run_to_mark());
        const std::uint32_t place = *tables_.place_of(leaver.process().pid());
        const auto left = static_cast<std::uint32_t>(SWB_PARTICIPANT_LEFT);
        while (tables_.participant_status(place) != left) ASSERT_EQ(leaver.step_system_calls(1), 1);
        const auto pid = static_cast<std::uint32_t>(leaver.process().pid());
        SteppedProcess looker([&] {
            SteppedProcess::mark();
            require(ps ? patterns_by_pid(pid).empty() : whats_of(name_).empty(), "who has left is told");
        });
        ASSERT_TRUE(looker.run_to_mark());
        ASSERT_TRUE(looker.run_to_system_call(SYS_clock_nanosleep)) << "it looks again";
        leaver.leave_running();
        ASSERT_TRUE(leaver.process().ended_well());
        looker.leave_running();
        EXPECT_TRUE(looker.process().ended_well());
    }
}

TEST_F(ControlOperation, in_which_a_process_stands_still_is_told_with_its_name) {
    SteppedProcess process([this] { subscribe(); });
    ASSERT_NO_FATAL_FAILURE(stop_with_lock(process));
    const Examination examination = examine(name_);
    ASSERT_EQ(examination.whats(), (Whats{"stopped participant", "stopped holder of the control lock"}));
    EXPECT_EQ(examination.found[1].who, "subscriber (pid " + std::to_string(process.process().pid()) + ")");
    EXPECT_EQ(examination.found[1].pid, static_cast<std::uint32_t>(process.process().pid()));
}

TEST_F(ControlOperation, in_which_a_process_stands_still_that_has_no_place_yet_is_told_with_its_pid_and_why_it_is_not_mended) {
    SteppedProcess process([this] { join(); });
    ASSERT_NO_FATAL_FAILURE(stop_with_lock(process));
    const std::string pid = std::to_string(process.process().pid());
    for (const bool repair : {false, true}) {
        // The repair is in a process that is not on the bus yet: it has to join.
        Process doctor([&] {
            const Examination examination = examine(name_, repair);
            require(examination.result == (repair ? SWB_ERR_BUSY : SWB_OK), swb_last_error());
            require(examination.whats() == Whats{"stopped holder of the control lock"}, testing::PrintToString(examination.whats()));
            require(examination.found[0].who == "pid " + pid && std::to_string(examination.found[0].pid) == pid, "who it is");
            require(!examination.found[0].repaired, "it is not mended");
        });
        EXPECT_TRUE(doctor.ended_well());
    }
    process.process().resume();
    EXPECT_TRUE(process.process().ended_well());
    EXPECT_EQ(whats_of(name_), Whats{});
}

}  // namespace
}  // namespace swarmbus::test
