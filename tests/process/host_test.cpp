// ipc-46: the programs that host the library end in every way there is.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"
#include "tests/support/process_shared.hpp"

namespace swarmbus::test {
namespace {

// Objects of a host that outlive main(): their order is that of a program with statics around its bus.
struct PublishesWhenDestroyed {
    swb_bus* bus = nullptr;
    const char* type = "";
    ~PublishesWhenDestroyed() {
        if (bus != nullptr) swb_publish(bus, type, nullptr, 0);
    }
};
PublishesWhenDestroyed destroyed_after_the_bus;
std::optional<Bus> static_bus;
PublishesWhenDestroyed destroyed_before_the_bus;

TEST(Host, statics_publish_in_their_destructors) {
    const BusName name;
    Bus reader(name);
    reader.subscribe("*");
    Process host([&] {
        static_bus.emplace(name);
        swb_bus* never_closed = nullptr;
        detail::check(swb_open(name.c_str(), nullptr, &never_closed));
        destroyed_before_the_bus.bus = static_bus->raw();
        destroyed_before_the_bus.type = "before.bus";
        destroyed_after_the_bus.bus = never_closed;
        destroyed_after_the_bus.type = "after.bus";
    });
    EXPECT_TRUE(host.ended_well());
    EXPECT_EQ(reader.next(0ns).value().type(), "before.bus");
    EXPECT_EQ(reader.next(0ns).value().type(), "after.bus");
    EXPECT_EQ(name.look().participants, 1u);
}

// What other threads are doing when one ends the program.
enum class Busy { sleeping_in_next, publishing, in_a_handler, subscribing };
enum class End { exit, quick_exit, underscore_exit };

class ExitWhile : public testing::TestWithParam<std::tuple<Busy, End>> {};

TEST_P(ExitWhile, other_threads_are_busy_ends_the_program_and_its_participation) {
    if (kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer reports threads that run into exit()";
    const auto [busy, end] = GetParam();
    for (int round = 0; round < rounds(10, 3); ++round) {
        const BusName name;
        Bus reader(name);
        reader.subscribe("load.*");
        Process host([&, busy = busy, end = end] {
            static std::atomic<int> started{0};
            const auto bus = new Bus(name);  // as hosts do: never closed
            bus->subscribe("load.*", [busy](const Event&) {
                ++started;
                while (busy == Busy::in_a_handler) std::this_thread::sleep_for(1ms);
            });
            std::thread([bus, busy] {
                for (;;) {
                    if (busy == Busy::publishing) bus->publish("load.tick", "");
                    if (busy == Busy::sleeping_in_next || busy == Busy::in_a_handler) bus->run_once(1ms);
                    if (busy == Busy::subscribing) bus->unsubscribe(bus->subscribe("load.other"));
                    if (busy != Busy::in_a_handler) ++started;
                }
            }).detach();
            if (busy == Busy::in_a_handler) bus->publish("load.tick", "");
            require(eventually([] { return started > 0; }), "the other thread is busy");
            if (end == End::exit) std::exit(0);
            if (end == End::quick_exit) std::quick_exit(0);
            ::_exit(0);
        });
        ASSERT_TRUE(host.ended_well());
        ASSERT_EQ(name.look().participants, 1u);
        Bus after(name);  // no lock is left held
        after.subscribe("after.*");
        reader.publish("after.event", "");
        ASSERT_TRUE(after.next(0ns));
    }
}

std::string name_of(const testing::TestParamInfo<std::tuple<Busy, End>>& param) {
    const char* const busy[] = {"sleeping_in_next", "publishing", "in_a_handler", "subscribing"};
    const char* const end[] = {"exit", "quick_exit", "underscore_exit"};
    return std::string(busy[static_cast<int>(std::get<0>(param.param))]) + "_" + end[static_cast<int>(std::get<1>(param.param))];
}

INSTANTIATE_TEST_SUITE_P(Host, ExitWhile,
                         testing::Combine(testing::Values(Busy::sleeping_in_next, Busy::publishing, Busy::in_a_handler, Busy::subscribing),
                                          testing::Values(End::exit, End::quick_exit, End::underscore_exit)),
                         name_of);

}  // namespace
}  // namespace swarmbus::test
