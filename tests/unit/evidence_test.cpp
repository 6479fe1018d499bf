// Which writers look dead, and which are proven dead: leases and participant entries set by hand.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/life/attachment.hpp"
#include "src/life/file_lock.hpp"
#include "src/life/process.hpp"
#include "tests/support/process_bus.hpp"
#include "tests/unit/private_segment.hpp"

namespace swarmbus::test {
namespace {

constexpr std::uint32_t kWriter = 77;
constexpr std::uint32_t kOther = 3;  // the entry of another participant
constexpr std::uint32_t kGeneration = 9;

// The identity of a process that has ended.
ProcessIdentity identity_of_the_dead() {
    int ready[2], go[2];
    EXPECT_EQ(::pipe(ready) | ::pipe(go), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const ProcessIdentity self = own_identity();
        char byte = 0;
        const bool told = ::write(ready[1], &self, sizeof self) == sizeof self && ::read(go[0], &byte, 1) == 1;
        ::_exit(told ? 0 : 1);
    }
    ProcessIdentity identity;
    EXPECT_EQ(::read(ready[0], &identity, sizeof identity), static_cast<ssize_t>(sizeof identity));
    EXPECT_FALSE(process_is_gone(identity)) << "it still waits";
    EXPECT_EQ(::write(go[1], "x", 1), 1);
    EXPECT_EQ(::waitpid(child, nullptr, 0), child);
    for (const int fd : {ready[0], ready[1], go[0], go[1]}) ::close(fd);
    return identity;
}

class Evidence : public testing::Test {
protected:
    Evidence() : attachment(Attachment::to({name, OpenMode::create_only, kSmallBus, 0600, "observer"})) {}

    Segment& segment() const { return attachment->segment(); }
    void lease_to(std::uint32_t participant, std::uint32_t generation) const {
        segment().writer(kWriter).lease = Lease::of(1, participant + 1, generation).raw;
    }
    // Another participant's entry. Its lock is free: nobody holds it.
    void enter_other(const ProcessIdentity& identity) const {
        swb_l_participant& entry = segment().participant(kOther);
        entry.pid = identity.pid;
        entry.start_ticks = identity.start_ticks;
        entry.pid_namespace = identity.pid_namespace;
        entry.state = std::uint64_t{kGeneration} << 32 | SWB_PARTICIPANT_ALIVE;
        lease_to(kOther, kGeneration);
    }

    BusName name;
    std::shared_ptr<Attachment> attachment;
};

TEST_F(Evidence, a_writer_of_this_process_lives) {
    lease_to(attachment->participant(), attachment->generation());
    EXPECT_FALSE(attachment->looks_dead(kWriter)) << "one's own lock looks free through one's own descriptor";
    EXPECT_FALSE(attachment->proven_dead(kWriter));
}

TEST_F(Evidence, a_process_that_holds_its_lock_lives) {
    enter_other(own_identity());
    const Descriptor other(::open(name.path().c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_TRUE(try_lock(other.get(), SWB_LOCK_PARTICIPANTS + kOther));
    EXPECT_FALSE(attachment->looks_dead(kWriter));
    EXPECT_FALSE(attachment->proven_dead(kWriter));
}

TEST_F(Evidence, a_process_whose_pid_nobody_has_is_dead_although_a_child_made_by_clone_keeps_its_lock) {
    enter_other(identity_of_the_dead());
    const Descriptor child(::open(name.path().c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_TRUE(try_lock(child.get(), SWB_LOCK_PARTICIPANTS + kOther));
    EXPECT_TRUE(attachment->looks_dead(kWriter));
    EXPECT_TRUE(attachment->proven_dead(kWriter));
}

TEST_F(Evidence, a_free_lock_looks_dead_and_proves_nothing_while_the_process_is_there) {
    enter_other(own_identity());
    EXPECT_TRUE(attachment->looks_dead(kWriter));
    EXPECT_FALSE(attachment->proven_dead(kWriter));
}

TEST_F(Evidence, a_free_lock_of_a_process_that_is_gone_proves_death) {
    enter_other(identity_of_the_dead());
    EXPECT_TRUE(attachment->looks_dead(kWriter));
    EXPECT_TRUE(attachment->proven_dead(kWriter));
}

TEST_F(Evidence, a_process_of_another_pid_namespace_is_judged_by_its_lock_alone) {
    ProcessIdentity identity = identity_of_the_dead();
    identity.pid_namespace ^= 1;
    enter_other(identity);
    {
        const Descriptor other(::open(name.path().c_str(), O_RDWR | O_CLOEXEC));
        ASSERT_TRUE(try_lock(other.get(), SWB_LOCK_PARTICIPANTS + kOther));
        EXPECT_FALSE(attachment->looks_dead(kWriter)) << "its pid says nothing here";
        EXPECT_FALSE(attachment->proven_dead(kWriter));
    }
    EXPECT_TRUE(attachment->looks_dead(kWriter));
    EXPECT_TRUE(attachment->proven_dead(kWriter));
}

TEST_F(Evidence, an_entry_that_has_a_new_owner_looks_dead) {
    lease_to(attachment->participant(), attachment->generation() - 1);
    EXPECT_TRUE(attachment->looks_dead(kWriter));
    EXPECT_FALSE(attachment->proven_dead(kWriter)) << "the process in that entry is we";
}

TEST_F(Evidence, a_participant_that_has_left_looks_dead) {
    lease_to(kOther, kGeneration);
    EXPECT_TRUE(attachment->looks_dead(kWriter));
    EXPECT_FALSE(attachment->proven_dead(kWriter));
}

TEST_F(Evidence, an_id_that_is_not_leased_looks_dead_and_proves_nothing) {
    EXPECT_TRUE(attachment->looks_dead(kWriter));
    EXPECT_FALSE(attachment->proven_dead(kWriter));
}

TEST_F(Evidence, an_id_that_cannot_be_leased_looks_dead_and_proves_nothing) {
    for (const std::uint32_t writer : {0u, 4096u, 100'000u}) {
        EXPECT_TRUE(attachment->looks_dead(writer)) << writer;
        EXPECT_FALSE(attachment->proven_dead(writer)) << writer;
    }
}

TEST_F(Evidence, a_lease_that_names_no_participant_proves_nothing) {
    lease_to(60'000, 1);
    EXPECT_FALSE(attachment->looks_dead(kWriter));
    EXPECT_FALSE(attachment->proven_dead(kWriter));
}

// As from another PID namespace, where the lock alone counts.
TEST_F(Evidence, a_process_that_was_taken_for_dead_leaves_the_next_owner_of_its_place_alone) {
    const std::unique_ptr<Segment> other = Segment::open(name, OpenMode::open_only, {}, 0600);
    swb_l_participant& entry = other->participant(attachment->participant());
    const std::uint32_t inbox = take_inbox(*other, {attachment->participant(), attachment->generation() + 1}, 16, Overflow::block);
    activate_inbox(*other, inbox);
    entry.state = participant_state(attachment->generation() + 1, SWB_PARTICIPANT_ALIVE);
    EXPECT_TRUE(attachment->gone());
    attachment.reset();
    EXPECT_EQ(entry.state, participant_state(generation_of(entry.state), SWB_PARTICIPANT_ALIVE));
    EXPECT_EQ(Gate{other->inbox(inbox).gate}.status(), SWB_GATE_ACTIVE);
}

TEST(Processes, are_told_apart_by_pid_and_start_time) {
    ProcessIdentity self = own_identity();
    EXPECT_FALSE(process_is_gone(self));
    ++self.start_ticks;  // the number came back
    EXPECT_TRUE(process_is_gone(self));
}

TEST(Processes, without_an_identity_are_never_taken_for_gone) {
    const ProcessIdentity self = own_identity();
    EXPECT_FALSE(process_is_gone({}));
    EXPECT_FALSE(process_is_gone({0, self.start_ticks, self.pid_namespace}));
    EXPECT_FALSE(process_is_gone({self.pid, 0, self.pid_namespace}));
    EXPECT_FALSE(process_is_gone({self.pid, self.start_ticks + 1, 0}));
}

TEST(Processes, that_are_zombies_are_gone) {
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const ProcessIdentity self = own_identity();
        ::_exit(::write(ready[1], &self, sizeof self) == sizeof self ? 0 : 1);
    }
    ProcessIdentity identity;
    EXPECT_EQ(::read(ready[0], &identity, sizeof identity), static_cast<ssize_t>(sizeof identity));
    siginfo_t info{};
    EXPECT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
    EXPECT_TRUE(process_is_gone(identity)) << "it has ended and nobody has reaped it";
    EXPECT_EQ(::waitpid(child, nullptr, 0), child);
    for (const int fd : ready) ::close(fd);
}

}  // namespace
}  // namespace swarmbus::test
