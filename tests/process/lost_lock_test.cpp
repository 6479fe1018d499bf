// Processes whose lock goes without them: their program closes descriptors it does not know, or
// becomes another program.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process_reaping.hpp"

namespace swarmbus::test {
namespace {

swb_result result_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& e) {
        return e.code();
    }
    return SWB_OK;
}

class LostLock : public testing::Test {
protected:
    bool lock_is_held(std::uint32_t place) const {
        const int fd = ::open(name_.path().c_str(), O_RDWR | O_CLOEXEC);
        struct flock lock {};
        lock.l_type = F_WRLCK;
        lock.l_whence = SEEK_SET;
        lock.l_start = SWB_LOCK_PARTICIPANTS + place;
        lock.l_len = 1;
        const bool held = ::fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
        ::close(fd);
        return held;
    }

    void write_state(std::uint32_t place, std::uint32_t status) const {
        const int fd = ::open(name_.path().c_str(), O_RDWR | O_CLOEXEC);
        const auto at =
            static_cast<off_t>(tables_.plan().participants_at + place * sizeof(swb_l_participant) + offsetof(swb_l_participant, state));
        std::uint64_t state = 0;
        require(::pread(fd, &state, sizeof state, at) == sizeof state, "reading a place");
        state = (state & ~std::uint64_t{0xffffffff}) | status;  // the generation stands above
        require(::pwrite(fd, &state, sizeof state, at) == sizeof state, "writing a place");
        ::close(fd);
    }

    const BusName name_;
    Bus bus_{name_, small_inbox()};
    const BusTables tables_{name_};
    const Taken before_ = [this] {
        bus_.publish("host.event", "");  // the test's own writer
        return tables_.taken();
    }();
    Channel<int> ready_, go_on_, done_;
    Shared<std::atomic<bool>> stop_;
};

TEST_F(LostLock, a_publisher_whose_descriptors_were_closed_takes_its_lock_again_if_nobody_has_noticed) {
    Process host([&] {
        Bus bus(name_, small_inbox());
        bus.publish("host.event", "");
        close_all_descriptors();
        ready_.send(1);
        while (!*stop_) {
            bus.publish("host.event", "");
            std::this_thread::sleep_for(1ms);
        }
    });
    ASSERT_TRUE(ready_.receive());
    const auto place = tables_.place_of(host.pid());
    ASSERT_TRUE(place);
    EXPECT_TRUE(eventually([&] { return lock_is_held(*place); })) << "within about a second";
    ASSERT_TRUE(attach_and_leave(name_));
    EXPECT_EQ(tables_.participant_status(*place), static_cast<std::uint32_t>(SWB_PARTICIPANT_ALIVE));
    *stop_ = true;
    EXPECT_TRUE(host.ended_well()) << "it never heard of it";
    EXPECT_EQ(tables_.taken(), before_);
}

TEST_F(LostLock, a_receiver_whose_descriptors_were_closed_takes_its_lock_again_if_nobody_has_noticed) {
    Process host([&] {
        Bus bus(name_, small_inbox());
        bus.subscribe("host.*");
        close_all_descriptors();
        ready_.send(1);
        require(bus.next(kPatience).value().type() == "host.event", "it goes on receiving");
        done_.send(1);
        go_on_.receive();
    });
    ASSERT_TRUE(ready_.receive());
    const auto place = tables_.place_of(host.pid());
    ASSERT_TRUE(place);
    EXPECT_TRUE(eventually([&] { return lock_is_held(*place); }));
    ASSERT_TRUE(attach_and_leave(name_));
    bus_.publish("host.event", "");
    EXPECT_TRUE(done_.receive());
    go_on_.send(1);
    EXPECT_TRUE(host.ended_well());
    EXPECT_EQ(tables_.taken(), before_);
}

// It may still write: what it has is closed, and nothing of it is handed on while it lives.
TEST_F(LostLock, a_process_that_was_taken_for_dead_says_so_and_keeps_what_it_may_still_write_to) {
    Process host([&] {
        Bus bus(name_, small_inbox());
        bus.subscribe("host.*");
        bus.publish("host.event", "");
        close_all_descriptors();
        ready_.send(1);
        go_on_.receive();
        const swb_result published = result_of([&] { bus.publish("host.event", ""); });
        require(published == SWB_ERR_GONE, "publishing: " + std::string(swb_result_name(published)));
        require(std::string(swb_last_error()).find("closed the descriptor") != std::string::npos, swb_last_error());
        require(result_of([&] { bus.next(0ns); }) == SWB_ERR_GONE, "receiving");
        require(result_of([&] { bus.subscribe("more.*"); }) == SWB_ERR_GONE, "subscribing");
        done_.send(1);
        go_on_.receive();
        Bus second(name_, small_inbox());  // another part of the program, whose first handle is still open
        second.publish("host.event", "");
        bus = Bus(name_, small_inbox());
        bus.subscribe("host.*");
        bus.publish("host.event", "again");
        require(bus.next(0ns).value().text() == "again", "part of the bus again");
        done_.send(1);
        go_on_.receive();
        bus.publish("host.event", "");  // closing the first handle has not taken the new one's lock
    });
    ASSERT_TRUE(ready_.receive());
    const auto place = tables_.place_of(host.pid());
    const auto inbox = tables_.inbox_of(host.pid());
    ASSERT_TRUE(place && inbox);
    EXPECT_FALSE(lock_is_held(*place));
    Bus observer = bus_.separate({});
    observer.subscribe("bus.participant.died");
    ASSERT_TRUE(attach_and_leave(name_));
    EXPECT_EQ(tables_.participant_status(*place), static_cast<std::uint32_t>(SWB_PARTICIPANT_EXPELLED));
    EXPECT_EQ(tables_.gate_status(*inbox), static_cast<std::uint32_t>(SWB_GATE_DEAD));
    EXPECT_NE(observer.next(kPatience).value().text().find("\"lock_lost\":true"), std::string::npos);
    EXPECT_EQ(bus_.publish("host.event", Message{}).delivered, 0u) << "no subscriber any more";
    const auto generation = tables_.inbox(*inbox).gate >> 16;
    for (int n = 0; n < 3; ++n) {  // inboxes come and go beside it
        Bus other = bus_.separate(small_inbox());
        other.subscribe("other.*");
        ASSERT_TRUE(attach_and_leave(name_));
    }
    EXPECT_EQ(tables_.gate_status(*inbox), static_cast<std::uint32_t>(SWB_GATE_DEAD));
    EXPECT_EQ(tables_.inbox(*inbox).gate >> 16, generation);
    go_on_.send(1);
    ASSERT_TRUE(done_.receive());
    go_on_.send(1);
    ASSERT_TRUE(done_.receive());
    EXPECT_FALSE(observer.next(0ns)) << "it was told once, and it has not died";
    ASSERT_TRUE(attach_and_leave(name_)) << "who finds nobody without a lock";
    EXPECT_FALSE(observer.next(0ns));
    go_on_.send(1);
    EXPECT_TRUE(host.ended_well());
    observer = Bus(name_);
    ASSERT_TRUE(attach_and_leave(name_));
    EXPECT_EQ(tables_.taken(), before_);
}

TEST_F(LostLock, an_expelled_process_that_is_killed_is_reaped_in_the_end) {
    Process host([&] {
        Bus bus(name_, small_inbox());
        take_some_of_everything(bus);
        close_all_descriptors();
        ready_.send(1);
        for (;;) ::pause();
    });
    ASSERT_TRUE(ready_.receive());
    const auto place = tables_.place_of(host.pid());
    ASSERT_TRUE(place);
    ASSERT_TRUE(attach_and_leave(name_));
    EXPECT_EQ(tables_.participant_status(*place), static_cast<std::uint32_t>(SWB_PARTICIPANT_EXPELLED));
    host.kill();
    ASSERT_TRUE(attach_and_leave(name_));
    EXPECT_EQ(tables_.taken(), before_);
}

// As a reaper leaves it that is killed between the two.
TEST_F(LostLock, the_inboxes_of_an_expelled_process_are_ended_by_the_next_reaper) {
    Victim victim(name_, small_inbox(), [](Bus& bus) {
        bus.subscribe("host.*");
        close_all_descriptors();
    });
    const auto place = tables_.place_of(victim.pid());
    const auto inbox = tables_.inbox_of(victim.pid());
    ASSERT_TRUE(place && inbox);
    write_state(*place, SWB_PARTICIPANT_EXPELLED);
    ASSERT_TRUE(attach_and_leave(name_));
    EXPECT_EQ(tables_.gate_status(*inbox), static_cast<std::uint32_t>(SWB_GATE_DEAD));
    victim.kill();
    ASSERT_TRUE(attach_and_leave(name_));
    EXPECT_EQ(tables_.taken(), before_);
}

TEST_F(LostLock, threads_that_take_it_again_at_once_leave_no_descriptor_behind) {
    Process host([&] {
        Bus bus(name_, small_inbox());
        bus.publish("host.event", "");
        close_all_descriptors();
        std::vector<std::thread> threads;
        for (int i = 0; i < 8; ++i) {
            threads.emplace_back([&] {
                Publisher own = bus.publisher("host.event");
                for (const auto until = std::chrono::steady_clock::now() + 1200ms; std::chrono::steady_clock::now() < until;)
                    own.publish("");
            });
        }
        for (std::thread& thread : threads) thread.join();
        ready_.send(1);
        go_on_.receive();
        bus = Bus(name_.str() + "-other");
        ready_.send(1);
        go_on_.receive();
        bus = Bus(name_);
        swb_remove((name_.str() + "-other").c_str(), 1);
    });
    ASSERT_TRUE(ready_.receive());
    const auto place = tables_.place_of(host.pid());
    ASSERT_TRUE(place);
    EXPECT_TRUE(lock_is_held(*place));
    go_on_.send(1);
    ASSERT_TRUE(ready_.receive());
    EXPECT_FALSE(lock_is_held(*place)) << "it has left, and lives";
    go_on_.send(1);
    EXPECT_TRUE(host.ended_well());
}

// The pid and its start time are the same: nothing but the lock and the mapping tell.
TEST_F(LostLock, a_process_that_became_another_program_is_reaped_although_it_lives) {
    Channel<int> becomes;
    Process host([&] {
        Bus bus(name_, small_inbox());
        take_some_of_everything(bus);
        becomes.send(1);
        ::execlp("sleep", "sleep", "600", nullptr);
    });
    ASSERT_TRUE(becomes.receive());
    const auto place = tables_.place_of(host.pid());
    ASSERT_TRUE(place);
    ASSERT_TRUE(eventually([&] { return !lock_is_held(*place); })) << "descriptors close at exec";
    ASSERT_TRUE(attach_and_leave(name_));
    EXPECT_EQ(tables_.taken(), before_);
    EXPECT_FALSE(host.wait(0ns)) << "it lives";
}

}  // namespace
}  // namespace swarmbus::test
