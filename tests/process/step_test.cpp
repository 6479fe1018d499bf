// A publisher is led through one publish instruction by instruction, then killed or stopped there.
// Each point of a spread sample is a publisher of its own; readers of every policy, one of them
// asleep, keep exact books.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <array>
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

constexpr int kPoints = 160;
constexpr std::uint32_t kPointsPerScene = 16;  // the dead keep slots: not too many on one bus
constexpr auto kStallTimeout = 2ms;

Options options_of(Overflow overflow, std::uint32_t capacity) {
    Options options;
    options.overflow = overflow;
    options.capacity_slots = capacity;
    options.block_timeout = kPatience;
    options.stall_timeout = kStallTimeout;
    return options;
}

// An inbox read by the test itself, and its books.
struct Reader {
    Reader(const Bus& bus, Overflow overflow, std::uint32_t capacity) : inbox(bus.separate(options_of(overflow, capacity))) {
        inbox.subscribe("load.*");
    }
    void take(std::size_t most, std::chrono::nanoseconds timeout) {
        const auto batch = inbox.next_batch(most, timeout);
        idle = batch.empty();
        for (const Event& event : batch) tally.take(event);
    }
    // All up to the newest event of publisher 0, past what a stopped or dead one left unfinished.
    void read_up_to(std::uint64_t newest) {
        while (tally.last_of(0) < newest) {
            take(16, kPatience);
            require(!idle, "a reader is held up");
        }
        inbox.release();
    }
    Bus inbox;
    Tally tally;
    bool idle = false;
};

class Steps : public testing::Test {
protected:
    void SetUp() override {
        if (kSanitized) GTEST_SKIP() << "sanitizers make a publish far too long to be stepped through";
    }
};

// A bus, four readers, one publisher that is never harmed (number 0) and victims (1 and up).
class Scene {
public:
    Scene()
        : bus_(name_, options_of(Overflow::drop_oldest, 64)),
          evicting_(bus_, Overflow::drop_oldest, 64),
          dropping_(bus_, Overflow::drop_newest, 64),
          blocking_(bus_, Overflow::block, 64),
          unharmed_(bus_.publisher("load.tick")),
          sleeper_([this] { sleep_and_read(); }) {
        require(subscribed_.receive().has_value(), "the sleeping reader did not start");
    }

    // A victim at the start of its second publish. The evicting inbox is full by then, and its
    // reader looks at the oldest events.
    std::unique_ptr<SteppedProcess> victim_at_the_start() {
        publish(40);
        read(evicting_, dropping_, blocking_);
        publish(40);
        evicting_.take(8, kPatience);
        read(dropping_, blocking_);
        publish(40);
        read(dropping_, blocking_);
        const std::uint32_t id = ++victims_;
        auto victim = std::make_unique<SteppedProcess>([this, id] {
            Bus bus(name_, options_of(Overflow::drop_oldest, 64));
            Publisher publisher = bus.publisher("load.tick");
            publish_next(publisher, (*ledger_)[id], id, kReaders);
            SteppedProcess::mark();
            publish_next(publisher, (*ledger_)[id], id, kReaders);
            SteppedProcess::mark();
        });
        require(victim->run_to_mark(), "the victim did not start");
        return victim;
    }

    // While a victim stands still or is dead: more than once around every inbox, to every reader.
    void expect_all_go_on() {
        for (int lap = 0; lap < 4; ++lap) {
            publish(40);
            read(evicting_, dropping_, blocking_);
        }
        const std::uint64_t newest = (*ledger_)[0].attempted;
        require(eventually([&] { return *slept_to_ >= newest; }), "the sleeping reader is held up");
    }

    // What is wrong with anybody's books when all have ended.
    std::string settle() {
        publish(1);  // behind it nothing comes but losses
        read(evicting_, dropping_, blocking_);
        for (Reader* reader : {&evicting_, &dropping_, &blocking_}) {
            do reader->take(16, 0ns);
            while (!reader->idle);
            if (std::string fault = compare(*ledger_, reader->tally); !fault.empty()) return fault;
        }
        if (blocking_.tally.told() != 0) return "a block inbox lost events";
        *stop_ = true;
        return sleeper_.ended_well() ? "" : "the books of the sleeping reader are wrong";
    }

private:
    static constexpr std::uint32_t kReaders = 4;

    void publish(int count) {
        for (int i = 0; i < count; ++i) publish_next(unharmed_, (*ledger_)[0], 0, kReaders);
    }
    template <typename... Readers>
    void read(Readers&... readers) {
        (readers.read_up_to((*ledger_)[0].attempted), ...);
    }

    void sleep_and_read() {
        Bus bus(name_);
        Reader reader(bus, Overflow::drop_oldest, 1024);
        subscribed_.send(1);
        do {
            reader.take(64, 20ms);
            *slept_to_ = reader.tally.last_of(0);
        } while (!*stop_ || !reader.idle);
        const std::string fault = compare(*ledger_, reader.tally);
        require(fault.empty(), fault);
    }

    const BusName name_;
    Ledger<2 * kPointsPerScene + 1> ledger_;
    Shared<std::atomic<std::uint64_t>> slept_to_;
    Shared<std::atomic<bool>> stop_;
    Channel<int> subscribed_;
    Bus bus_;
    Reader evicting_, dropping_, blocking_;
    Publisher unharmed_;
    std::uint32_t victims_ = 0;
    Process sleeper_;
};

int instructions_of_a_publish() {
    Scene scene;
    const int count = scene.victim_at_the_start()->step(1'000'000);
    require(count > 100 && count < 100'000, "a publish takes " + std::to_string(count) + " instructions");
    return count;
}

// Calls at(scene, victim) with victims at points that are spread over a publish, others in each run.
template <typename At>
void at_points_of_a_publish(int points, At&& at) {
    const int length = instructions_of_a_publish();
    testing::Test::RecordProperty("instructions", length);
    std::random_device random;
    for (int point = 0; point < points;) {
        Scene scene;
        for (std::uint32_t i = 0; i < kPointsPerScene; ++i, ++point) {
            const int instructions = (point * length + static_cast<int>(random() % static_cast<unsigned>(length))) / points;
            SCOPED_TRACE("after " + std::to_string(instructions) + " instructions");
            const auto victim = scene.victim_at_the_start();
            victim->step(instructions);
            ASSERT_NO_THROW(at(scene, *victim));
        }
        ASSERT_EQ(scene.settle(), "") << "points up to " << point;
    }
}

TEST_F(Steps, a_publisher_killed_anywhere_in_a_publish_holds_nobody_up_and_books_stay_exact) {
    at_points_of_a_publish(kPoints, [](Scene& scene, SteppedProcess& victim) {
        victim.process().kill();
        scene.expect_all_go_on();
    });
}

TEST_F(Steps, a_publisher_stopped_anywhere_in_a_publish_holds_nobody_up_and_its_event_is_neither_lost_nor_doubled) {
    at_points_of_a_publish(kPoints, [](Scene& scene, SteppedProcess& victim) {
        victim.leave_stopped();
        scene.expect_all_go_on();
        victim.process().resume();
        require(victim.process().ended_well(), "the victim did not end well after SIGCONT");
    });
}

// Two stand still in the same inboxes at once, at points of their own, and go on in either order.
TEST_F(Steps, two_publishers_stopped_at_once_hold_nobody_up) {
    int second_point = 0;
    at_points_of_a_publish(kPoints / 2, [&](Scene& scene, SteppedProcess& victim) {
        victim.leave_stopped();
        const auto second = scene.victim_at_the_start();
        second->step(second_point = (second_point + 370) % 2000);
        second->leave_stopped();
        scene.expect_all_go_on();
        for (Process* process : {&victim.process(), &second->process()}) {
            process->resume();
            require(process->ended_well(), "a victim did not end well after SIGCONT");
        }
    });
}

}  // namespace
}  // namespace swarmbus::test
