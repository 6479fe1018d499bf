// What the doctor says of participants, of claims and of arenas, and that looking changes nothing.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process_doctor.hpp"
#include "tests/support/process_shm.hpp"

namespace swarmbus::test {
namespace {

TEST_F(Doctor, and_ps_change_no_byte_of_a_bus_and_take_no_memory) {
    bus_.subscribe("mine.*");
    Victim victim(name_, small_inbox(), take_some_of_everything);
    victim.kill();
    leave_writer_inside(*tables_.inbox_of(::getpid()));
    const auto contents_before = contents();
    const Taken before = tables_.taken();
    EXPECT_EQ(whats_of(name_), (Whats{"dead participant", "stuck claim"}));
    EXPECT_EQ(patterns_by_pid(pid_), Whats{"mine.*"});
    EXPECT_TRUE(contents() == contents_before);
    EXPECT_EQ(tables_.taken(), before);
}

// Between a look at the tables and one at the ring its owner may close it.
TEST_F(Doctor, and_ps_take_no_memory_where_a_ring_was_given_back_meanwhile) {
    bus_.subscribe("mine.*");
    const std::uint32_t inbox = *tables_.inbox_of(::getpid());
    leave_writer_inside(inbox);
    const swb_l_subscriber& entry = tables_.subscriber(inbox);
    ASSERT_EQ(::fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(tables_.plan().rings_at + entry.block_at),
                          static_cast<off_t>(entry.block_bytes)),
              0);
    const Taken before = tables_.taken();
    EXPECT_EQ(whats_of(name_), Whats{"stuck claim"});
    EXPECT_EQ(patterns_by_pid(pid_), Whats{""});
    EXPECT_EQ(tables_.taken(), before);
}

TEST_F(Doctor, that_may_only_read_says_what_it_found_and_that_it_can_not_mend_it) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    ASSERT_EQ(::fchmod(file_, 0644), 0);
    Victim victim(name_, small_inbox(), take_some_of_everything);
    victim.kill();
    Process reader([this] {
        constexpr uid_t kNobodyInParticular = 61'001;
        require(::setresuid(kNobodyInParticular, kNobodyInParticular, kNobodyInParticular) == 0, "becoming another user");
        const Examination examination = examine(name_, true);
        require(examination.result == SWB_ERR_PERMISSION, swb_last_error());
        require(examination.whats() == Whats{"dead participant"}, testing::PrintToString(examination.whats()));
        require(!examination.found[0].repaired, "it is not mended");
    });
    EXPECT_TRUE(reader.ended_well());
}

// A publisher that is led into a publish, to an inbox of the test.
class WithinPublish : public Doctor {
protected:
    void SetUp() override {
        if (kSanitized) GTEST_SKIP() << "sanitizers make a publish far too long to be stepped through";
        bus_.subscribe("mine.*");
        inbox_ = *tables_.inbox_of(::getpid());
        ASSERT_TRUE(publisher_.run_to_mark());
        ASSERT_TRUE(step_until(publisher_, [this] { return tables_.unsettled_claims(inbox_) == 1; }));
    }
    std::string pid() { return std::to_string(publisher_.process().pid()); }

    std::uint32_t inbox_ = 0;
    SteppedProcess publisher_{[this] {
        Bus bus(name_, small_inbox(Overflow::drop_oldest, "publisher"));
        Publisher publisher = bus.publisher("mine.event");
        publisher.publish("first");
        SteppedProcess::mark();
        publisher.publish("never committed");
        for (;;) ::pause();
    }};
};

TEST_F(WithinPublish, a_killed_publisher_leaves_a_stuck_claim_which_is_mended) {
    publisher_.process().kill();
    for (const bool repair : {false, true}) {
        const Examination examination = examine(name_, repair);
        ASSERT_EQ(examination.whats(), (Whats{"dead participant", "stuck claim"}));
        const Found& claim = examination.found[1];
        EXPECT_EQ(claim.who, "publisher (pid " + pid() + ")");
        EXPECT_NE(claim.detail.find("1 inbox, 1 slot is unfinished"), std::string::npos) << claim.detail;
        EXPECT_EQ(claim.repaired, repair);
    }
    EXPECT_EQ(tables_.unsettled_claims(inbox_), 0u);
    EXPECT_EQ(whats_of(name_), Whats{});
}

TEST_F(WithinPublish, a_stopped_publisher_is_told_and_can_be_let_go_on) {
    publisher_.leave_stopped();
    const Examination examination = examine(name_);
    ASSERT_EQ(examination.whats(), (Whats{"stopped participant", "stopped publisher"}));
    EXPECT_NE(examination.found[1].detail.find("1 inbox, 1 slot is unfinished"), std::string::npos) << examination.found[1].detail;
    EXPECT_NE(examination.found[1].advice.find("kill -CONT " + pid()), std::string::npos);
    publisher_.process().resume();
    EXPECT_TRUE(eventually([&] { return whats_of(name_).empty(); }));
}

// It is not dead: nobody settles for it what it may still write.
TEST_F(WithinPublish, a_stopped_publisher_that_was_expelled_is_no_stuck_claim) {
    const std::uint32_t place = *tables_.place_of(publisher_.process().pid());
    swb_l_participant entry = tables_.participant(place);
    entry.state = std::uint64_t{entry.state >> 32} << 32 | SWB_PARTICIPANT_EXPELLED;
    write_entry(tables_.plan().participants_at, place, entry);
    publisher_.leave_stopped();
    for (const bool repair : {false, true}) {
        const Examination examination = examine(name_, repair);
        ASSERT_EQ(examination.whats(), (Whats{"participant without its lock", "stopped publisher"}));
        EXPECT_NE(examination.found[1].advice.find("kill -CONT " + pid()), std::string::npos) << examination.found[1].advice;
        EXPECT_FALSE(examination.found[1].repaired);
    }
    EXPECT_EQ(tables_.unsettled_claims(inbox_), 1u);
    publisher_.process().resume();
    EXPECT_TRUE(eventually([&] { return tables_.unsettled_claims(inbox_) == 0; }));
    EXPECT_EQ(whats_of(name_), Whats{"participant without its lock"});
}

TEST_F(Doctor, tells_a_process_whose_program_closed_its_descriptors) {
    Victim host(name_, small_inbox(Overflow::drop_oldest, "host"), [](Bus& bus) {
        bus.subscribe("host.*");
        close_all_descriptors();
    });
    for (const bool repair : {false, true}) {
        const Examination examination = examine(name_, repair);
        ASSERT_EQ(examination.whats(), Whats{"participant without its lock"});
        EXPECT_EQ(examination.found[0].who, "host (pid " + std::to_string(host.pid()) + ")");
        EXPECT_NE(examination.found[0].detail.find("1 inbox"), std::string::npos) << examination.found[0].detail;
        EXPECT_FALSE(examination.found[0].repaired) << "it lives";
    }
    std::vector<std::uint32_t> conditions;
    const auto add = [](const swb_participant* p, void* list) { static_cast<decltype(conditions)*>(list)->push_back(p->condition); };
    ASSERT_EQ(swb_participants(name_.c_str(), add, &conditions), SWB_OK);
    EXPECT_EQ(conditions, (std::vector<std::uint32_t>{SWB_ALIVE, SWB_LOCK_LOST}));
}

// Long after the publisher has ended: an event that waits, one that is held, and no event any more.
TEST_F(Doctor, calls_an_arena_orphaned_only_when_nobody_has_anything_to_read_there) {
    bus_.subscribe("mine.*");
    const std::vector<std::byte> large(10'000);
    Process publisher([&] {
        Bus bus(name_);
        bus.publish("mine.first", large);
        bus.publish("mine.second", large);
    });
    ASSERT_TRUE(publisher.ended_well());
    EXPECT_EQ(whats_of(name_), Whats{}) << "both wait";
    ASSERT_TRUE(bus_.next(0ns).has_value() && bus_.next(0ns).has_value());
    EXPECT_EQ(whats_of(name_), Whats{}) << "the second is held";
    ASSERT_TRUE(attach_and_leave(name_));
    EXPECT_EQ(whats_of(name_), Whats{}) << "it is not to be mended either";
    bus_.release();
    const Examination examination = examine(name_);
    ASSERT_EQ(examination.whats(), Whats{"orphaned arena"});
    EXPECT_EQ(::access(examination.found[0].who.c_str(), F_OK), 0) << examination.found[0].who;
    ASSERT_EQ(examine(name_, true).whats(), Whats{"orphaned arena"});
    EXPECT_EQ(whats_of(name_), Whats{});
    EXPECT_NE(::access(examination.found[0].who.c_str(), F_OK), 0);
}

// Slots that are larger than what a look at them reads.
TEST(DoctorOfLargeSlots, sees_in_them_what_waits_there) {
    const BusName name;
    Options options = small_inbox();
    options.slot_bytes = 4096;
    Bus reader(name, options);
    reader.subscribe("mine.*");
    Process publisher([&] {
        Bus bus(name);
        Message message;
        const std::vector<std::byte> large(10'000);
        const std::string subject(127, 's'), source(63, 't');
        message.payload = large;
        message.subject = subject.c_str();
        message.source = source.c_str();
        bus.publish("mine.event", message);
    });
    ASSERT_TRUE(publisher.ended_well());
    EXPECT_EQ(whats_of(name), Whats{});
}

TEST(DirectoryOfARemovedBus, is_told_as_that_of_another_bus_hides_nothing_and_is_removed) {
    if (!private_shm_is_allowed()) GTEST_SKIP() << "this user may not mount a /dev/shm of its own";
    Process alone([] {
        enter_private_shm("tmpfs", "size=16m");
        const BusName name, never_was;
        const Bus bus(name);
        const std::string directory = "/dev/shm/swarmbus-with.0123456789abcdef";
        for (const auto& [examined, result] : {std::pair(never_was.c_str(), SWB_ERR_NO_BUS), std::pair(name.c_str(), SWB_OK)}) {
            for (const bool repair : {false, true}) {
                require(::mkdir(directory.c_str(), 0700) == 0 || errno == EEXIST, "mkdir");
                const Examination examination = examine_all(examined, repair);
                require(examination.result == result, "what comes of it");
                require(examination.whats() == Whats{"directory of a removed bus"}, "it is found");
                const Found& finding = examination.found[0];
                require(finding.other_bus && finding.repaired == repair && finding.who == directory, "what is said of it");
                require((::access(directory.c_str(), F_OK) == 0) != repair, "whether it is there");
            }
        }
    });
    EXPECT_TRUE(alone.ended_well());
}

}  // namespace
}  // namespace swarmbus::test
