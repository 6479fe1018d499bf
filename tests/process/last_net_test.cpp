// A sleeping reader whose publisher dies between its commit and the wake-up.
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process_reaping.hpp"

namespace swarmbus::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kModeMask = 3, kAsleep = 1;

// Where the publisher is killed: its event is there in both cases, and the reader asleep.
enum class Killed { behind_its_commit, behind_changing_the_wake_word };

class LastNet : public testing::TestWithParam<Killed> {
protected:
    struct Received {
        Clock::time_point at;
        char text[8];
    };

    void SetUp() override {
        if (kSanitized) GTEST_SKIP() << "sanitizers make a publish far too long to be stepped through";
    }
    // A process that sleeps until there is something, three times.
    std::unique_ptr<Process> start_sleeper() {
        auto sleeper = std::make_unique<Process>([this] {
            Bus bus(name_, small_inbox());
            bus.subscribe("mine.*");
            for (int n = 0; n < 3; ++n) {
                const auto event = bus.next(kPatience);
                require(event && *event, "an event");
                Received received{Clock::now(), {}};
                event->text().copy(received.text, sizeof received.text - 1);
                received_.send(received);
            }
        });
        return sleeper;
    }
    bool asleep(std::uint32_t inbox) const { return (BusTables::now(tables_.inbox(inbox).wake) & kModeMask) == kAsleep; }

    // Kills a publisher behind its commit, while the reader has just fallen asleep. Its inbox's index.
    void kill_a_publisher() {
        SteppedProcess publisher([this] {
            Bus other(name_);
            Publisher bound = other.publisher("mine.event");
            bound.publish("first");
            SteppedProcess::mark();
            bound.publish("second");
            SteppedProcess::mark();
        });
        ASSERT_TRUE(publisher.run_to_mark());
        ASSERT_STREQ(received_.receive().value().text, "first");
        const swb_l_inbox& lines = tables_.inbox(inbox_);
        const std::uint64_t next = BusTables::now(lines.hint);
        // Into a fresh sleep: what follows takes a small part of its second.
        const auto slept = [&] { return asleep(inbox_) ? BusTables::now(lines.wake) : 0; };
        const std::uint32_t before = slept();
        ASSERT_TRUE(eventually([&] { return slept() != 0 && slept() != before; }));
        const std::uint32_t word = BusTables::now(lines.wake);
        ASSERT_TRUE(step_until(publisher, [&] {
            return GetParam() == Killed::behind_its_commit ? tables_.state(inbox_, next).ready_at(next & ~std::uint64_t{15})
                                                           : BusTables::now(lines.wake) != word;
        }));
        ASSERT_TRUE(asleep(inbox_));
        publisher.process().kill();
    }

    const BusName name_;
    const Bus keeps_it_{name_, small_inbox()};
    const BusTables tables_{name_};
    Channel<Received> received_;
    const std::unique_ptr<Process> sleeper_ = start_sleeper();
    const std::uint32_t inbox_ = [this] {
        require(eventually([&] { return tables_.inbox_of(sleeper_->pid()).has_value(); }), "the sleeper did not start");
        return *tables_.inbox_of(sleeper_->pid());
    }();
};

TEST_P(LastNet, alone_its_event_is_received_when_the_sleeper_looks_by_itself_after_a_second) {
    ASSERT_NO_FATAL_FAILURE(kill_a_publisher());
    const auto killed = Clock::now();
    const auto second = received_.receive();
    ASSERT_TRUE(second);
    EXPECT_STREQ(second->text, "second");
    EXPECT_LT(second->at - killed, 3s) << "1.1 s, and more where the machine is busy";
}

TEST_P(LastNet, beside_another_publisher_its_event_is_received_with_the_next_of_that_one) {
    Bus other(name_);
    Publisher unharmed = other.publisher("mine.event");
    ASSERT_NO_FATAL_FAILURE(kill_a_publisher());
    unharmed.publish("third");
    const auto published = Clock::now();
    const auto second = received_.receive(), third = received_.receive();
    ASSERT_TRUE(second && third);
    EXPECT_STREQ(second->text, "second");
    EXPECT_STREQ(third->text, "third");
    // By the sleeper's own look it would be a second, less what the steps took.
    EXPECT_LT(third->at - published, 300ms);
    EXPECT_TRUE(sleeper_->ended_well());
}

INSTANTIATE_TEST_SUITE_P(, LastNet, testing::Values(Killed::behind_its_commit, Killed::behind_changing_the_wake_word),
                         [](const auto& killed) {
                             return killed.param == Killed::behind_its_commit ? "killed_behind_its_commit"
                                                                              : "killed_behind_changing_the_wake_word";
                         });

}  // namespace
}  // namespace swarmbus::test
