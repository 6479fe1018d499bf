// A publisher that waits for room in a full block inbox is given room, led on instruction by
// instruction, and stopped or killed there.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"
#include "tests/support/process_ledger.hpp"
#include "tests/support/process_numbered.hpp"
#include "tests/support/process_shared.hpp"
#include "tests/support/process_step.hpp"

namespace swarmbus::test {
namespace {

constexpr int kPoints = 64;
constexpr int kVictims = 8;        // of one bus
constexpr int kToTheWait = 1'000;  // instructions from the start of the publish to well into its wait
constexpr auto kStallTimeout = 2ms;

class Scene {
public:
    Scene() : bus_(name_, options(kPatience)), unharmed_(name_, options(0ns)), filler_(unharmed_.publisher("load.tick")) {
        bus_.subscribe("load.*");
    }

    // A victim in its wait; when it goes on there is room for its event.
    std::unique_ptr<SteppedProcess> victim_with_room() {
        read_all();
        const std::uint32_t id = ++victims_;
        auto victim = std::make_unique<SteppedProcess>([this, id] {
            Bus bus(name_, options(kPatience));
            Publisher publisher = bus.publisher("load.tick");
            publish_next(publisher, (*ledger_)[id], id, 1);
            SteppedProcess::mark();
            publish_next(publisher, (*ledger_)[id], id, 1);
            SteppedProcess::mark();
        });
        require(victim->run_to_mark(), "the victim did not start");
        fill();
        require(victim->step(kToTheWait) == kToTheWait, "the victim did not wait");
        take(1, kPatience);
        bus_.release();
        return victim;
    }

    // Past the victim's event, whatever became of it, and full again.
    void go_on_and_fill() {
        do take(8, 4 * kStallTimeout);
        while (!idle_);
        fill();
    }

    // It may have to wait once more before there is room.
    bool ended_well(Process& victim) {
        victim.wait(5ms);
        return eventually([&] {
                   take(8, 1ms);
                   return victim.wait(0ns).has_value();
               }) &&
               victim.ended_well();
    }

    // What is wrong with the books when the victims have ended.
    std::string settle() {
        do take(8, 20ms);
        while (!idle_);
        return compare(*ledger_, tally_);
    }

private:
    static Options options(std::chrono::nanoseconds block_timeout) {
        Options options;
        options.overflow = Overflow::block;
        options.capacity_slots = 64;
        options.block_timeout = block_timeout;
        options.stall_timeout = kStallTimeout;
        return options;
    }
    void fill() {
        bus_.release();  // the filler is this thread: it would be refused for itself
        while (publish_next(filler_, (*ledger_)[0], 0, 1).dropped == 0) ++delivered_;
    }
    void read_all() {
        while (tally_.received_of(0) < delivered_) take(8, kPatience);
        bus_.release();
    }
    void take(std::size_t most, std::chrono::nanoseconds timeout) {
        const auto batch = bus_.next_batch(most, timeout);
        idle_ = batch.empty();
        for (const Event& event : batch) tally_.take(event);
    }

    const BusName name_;
    Ledger<kVictims + 1> ledger_;
    Bus bus_;
    Bus unharmed_;
    Publisher filler_;
    Tally tally_;
    bool idle_ = false;
    std::uint64_t delivered_ = 0;  // of the filler's
    std::uint32_t victims_ = 0;
};

int instructions_after_the_wait() {
    Scene scene;
    const int count = scene.victim_with_room()->step(1'000'000);
    require(count > 100 && count < 10'000, "going on takes " + std::to_string(count) + " instructions");
    return count;
}

template <typename At>
void at_points_after_the_wait(At&& at) {
    if (kSanitized) GTEST_SKIP() << "sanitizers make a publish far too long to be stepped through";
    const int length = instructions_after_the_wait();
    testing::Test::RecordProperty("instructions", length);
    std::random_device random;
    for (int point = 0; point < kPoints;) {
        Scene scene;
        for (int i = 0; i < kVictims; ++i, ++point) {
            const int instructions = (point * length + static_cast<int>(random() % static_cast<unsigned>(length))) / kPoints;
            SCOPED_TRACE("after " + std::to_string(instructions) + " instructions");
            const auto victim = scene.victim_with_room();
            victim->step(instructions);
            ASSERT_NO_THROW(at(scene, *victim));
        }
        ASSERT_EQ(scene.settle(), "") << "points up to " << point;
    }
}

// Its position may be taken away and the inbox be full again when it goes on: it waits once more,
// and is told what became of its event.
TEST(BlockSteps, a_publisher_stopped_when_its_wait_ends_neither_loses_nor_doubles_its_event) {
    at_points_after_the_wait([](Scene& scene, SteppedProcess& victim) {
        victim.leave_stopped();
        scene.go_on_and_fill();
        victim.process().resume();
        require(scene.ended_well(victim.process()), "the victim did not end well after SIGCONT");
    });
}

TEST(BlockSteps, a_publisher_killed_when_its_wait_ends_holds_nobody_up) {
    at_points_after_the_wait([](Scene& scene, SteppedProcess& victim) {
        victim.process().kill();
        scene.go_on_and_fill();
    });
}

}  // namespace
}  // namespace swarmbus::test
