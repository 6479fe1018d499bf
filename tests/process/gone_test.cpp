// The bus's file is removed under those who use it.
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process_reaping.hpp"

namespace swarmbus::test {
namespace {

using Clock = std::chrono::steady_clock;

// A second is what is promised; three where the machine is busy.
constexpr auto kSoon = kSanitized ? 10s : 3s;

enum class Removed { by_unlink, by_force, and_made_anew };

class Gone : public testing::TestWithParam<Removed> {
protected:
    void remove() {
        if (GetParam() == Removed::by_force) {
            ASSERT_EQ(swb_remove(name_.c_str(), 1), SWB_OK);
        } else {
            ASSERT_EQ(::unlink(name_.path().c_str()), 0);
        }
        if (GetParam() == Removed::and_made_anew) {
            Process other([this] { const Bus another(name_); });
            ASSERT_TRUE(other.ended_well());
        }
        removed_ = Clock::now();
    }
    // Calls until it says "gone".
    static void until_gone(const std::function<void()>& call) {
        const auto deadline = Clock::now() + kPatience;
        while (Clock::now() < deadline) {
            try {
                call();
            } catch (const Error& e) {
                require(e.code() == SWB_ERR_GONE, e.what());
                require(std::string(e.what()).find("removed") != std::string::npos, e.what());
                return;
            }
        }
        require(false, "it is never told");
    }
    // Runs `user` in a process of its own, which removing the bus makes end.
    template <typename User>
    void expect_told_soon(User&& user) {
        Process process([&] {
            Bus bus(name_, small_inbox());
            bus.subscribe("mine.*");
            bus.publish("mine.event", "");
            bus.next(0ns);
            ready_.send(1);
            user(bus);
            told_.send(Clock::now());
            bus = Bus(name_, small_inbox());
            bus.subscribe("mine.*");
            bus.publish("mine.event", "on a new bus");
            require(bus.next(0ns).value().text() == "on a new bus", "opening again makes or finds another");
        });
        ASSERT_TRUE(ready_.receive());
        std::this_thread::sleep_for(100ms);  // into its wait or loop; any moment would do
        ASSERT_NO_FATAL_FAILURE(remove());
        const auto told = told_.receive();
        ASSERT_TRUE(told);
        EXPECT_LT(*told - removed_, kSoon);
        EXPECT_TRUE(process.ended_well());
    }

    const BusName name_;
    Channel<int> ready_;
    Channel<Clock::time_point> told_;
    Clock::time_point removed_;
};

TEST_P(Gone, is_what_a_publisher_says) {
    expect_told_soon([](Bus& bus) {
        until_gone([&] {
            bus.publish("other.event", "");
            std::this_thread::sleep_for(1ms);
        });
    });
}

TEST_P(Gone, ends_a_publishers_wait_for_room) {
    expect_told_soon([](Bus& bus) {
        Bus full = bus.separate(small_inbox(Overflow::block));
        full.subscribe("full.event");
        for (int i = 0; i < 16; ++i) bus.publish("full.event", "");
        until_gone([&] { bus.publish("full.event", ""); });
    });
}

TEST_P(Gone, is_what_a_receiver_says_that_waits) {
    expect_told_soon([](Bus& bus) { until_gone([&] { bus.next(); }); });
}

TEST_P(Gone, is_what_a_receiver_says_that_is_never_without_events) {
    expect_told_soon([](Bus& bus) {
        until_gone([&] {
            bus.publish("mine.event", "");
            bus.next(0ns);
        });
    });
}

TEST_P(Gone, is_what_a_receiver_says_that_only_polls) {
    expect_told_soon([](Bus& bus) {
        until_gone([&] {
            bus.next(0ns);
            std::this_thread::sleep_for(1ms);
        });
    });
}

TEST_P(Gone, is_what_an_event_loop_is_told_that_waits_on_the_descriptor) {
    expect_told_soon([](Bus& bus) {
        int descriptor = -1;
        detail::check(swb_descriptor(bus.raw(), &descriptor));
        until_gone([&] {
            pollfd ready{descriptor, POLLIN, 0};
            require(::poll(&ready, 1, 20'000) == 1, "readable");
            while (bus.next(0ns)) {}
        });
    });
}

TEST_P(Gone, is_what_a_handler_loop_ends_with) {
    expect_told_soon([](Bus& bus) {
        bus.subscribe("handled.*", [](const Event&) {});
        until_gone([&] { bus.run(); });
    });
}

// The bus is one for those who stay on it until then: nothing is lost between them untold.
TEST_P(Gone, handles_can_be_closed_in_any_order_and_leave_nothing_behind) {
    {
        Bus bus(name_, small_inbox());
        Bus separate = bus.separate(small_inbox());
        separate.subscribe("mine.*");
        Publisher publisher = bus.publisher("mine.event");
        int descriptor = -1;
        detail::check(swb_descriptor(separate.raw(), &descriptor));
        ASSERT_NO_FATAL_FAILURE(remove());
        until_gone([&] { publisher.publish(""); });
        EXPECT_EQ(swb_stop(separate.raw()), SWB_ERR_GONE);
        Bus again(name_);
        again.subscribe("*");
        again.publish("mine.event", "");
        EXPECT_TRUE(again.next(0ns));
    }
    EXPECT_EQ(name_.look().participants, 0u);
}

INSTANTIATE_TEST_SUITE_P(, Gone, testing::Values(Removed::by_unlink, Removed::by_force, Removed::and_made_anew), [](const auto& removed) {
    return removed.param == Removed::by_unlink  ? "unlinked"
           : removed.param == Removed::by_force ? "removed_by_force"
                                                : "made_anew_by_another";
});

}  // namespace
}  // namespace swarmbus::test
