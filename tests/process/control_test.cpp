// Processes that are stopped or killed in the middle of a control operation: events go on, whoever
// comes next finds the tables whole, and nobody who was subscribed misses an event.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include <swarmbus/swarmbus.hpp>

#include "src/segment/layout.h"
#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"
#include "tests/support/process_shared.hpp"
#include "tests/support/process_step.hpp"

namespace swarmbus::test {
namespace {

// The control lock as a stopped process holds it: on its byte of the file, with its pid beside it.
class HeldControlLock {
public:
    explicit HeldControlLock(const BusName& name) : fd_(::open(name.path().c_str(), O_RDWR | O_CLOEXEC)) {
        set(F_WRLCK);
        const std::uint32_t holder = 12'345;
        if (::pwrite(fd_, &holder, sizeof holder, offsetof(swb_l_header, control_holder_pid)) < 0) throw std::runtime_error("pwrite");
    }
    ~HeldControlLock() { ::close(fd_); }
    HeldControlLock(const HeldControlLock&) = delete;
    HeldControlLock& operator=(const HeldControlLock&) = delete;

private:
    void set(short type) {
        struct flock lock {};
        lock.l_type = type;
        lock.l_whence = SEEK_SET;
        lock.l_start = SWB_LOCK_CONTROL;
        lock.l_len = 1;
        if (::fcntl(fd_, F_OFD_SETLK, &lock) != 0) throw std::runtime_error("the control lock is not to be had");
    }
    int fd_;
};

TEST(ControlLock, held_by_a_stopped_process_delays_control_operations_but_no_event) {
    const BusName name;
    Bus bus(name);
    bus.subscribe("kept.* fresh.*");
    Publisher kept = bus.publisher("kept.event");
    {
        const HeldControlLock held(name);
        try {
            bus.subscribe("more.*");
            FAIL() << "the lock is held";
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), SWB_ERR_BUSY);
            EXPECT_NE(std::string(e.what()).find("12345"), std::string::npos) << e.what();
        }
        EXPECT_EQ(kept.publish(Message{}).delivered, 1u);
        EXPECT_EQ(bus.publish("fresh.type", Message{}).delivered, 1u) << "a type that can't be entered travels by name";
        EXPECT_EQ(bus.next(0ns).value().type(), "kept.event");
        EXPECT_EQ(bus.next(0ns).value().type(), "fresh.type");
        EXPECT_EQ(name.look().types, 1u);
    }
    bus.subscribe("more.*");
    bus.publish("more.events", "");
    EXPECT_EQ(bus.next(0ns).value().type(), "more.events");
}

// The operation in which a process is killed; it holds a bus with one subscription by then.
struct Operation {
    const char* name;
    void (*run)(const BusName& name, Bus& bus, SubscriptionId subscription);
    friend std::ostream& operator<<(std::ostream& out, const Operation& operation) { return out << operation.name; }
};

const Operation operations[] = {
    {"subscribing_a_new_inbox", [](const BusName&, Bus& bus, SubscriptionId) { bus.separate({}).subscribe("*"); }},
    {"subscribing_more", [](const BusName&, Bus& bus, SubscriptionId) { bus.subscribe("more.* kept.*"); }},
    {"unsubscribing", [](const BusName&, Bus& bus, SubscriptionId subscription) { bus.unsubscribe(subscription); }},
    {"closing", [](const BusName&, Bus& bus, SubscriptionId) { const Bus closed = std::move(bus); }},
    {"entering_a_type", [](const BusName&, Bus& bus, SubscriptionId) { bus.publish("kept.brand-new", "of the killed one"); }},
};

class KilledWhile : public testing::TestWithParam<Operation> {
protected:
    // A bus where `survivor` is subscribed to kept.* and a process stands at the start of the operation.
    void SetUp() override {
        if (kSanitized) GTEST_SKIP() << "sanitizers make a control operation far too long to be stepped through";
        name_ = std::make_unique<BusName>();
        Options options;
        options.capacity_slots = 16;
        options.max_subscribers = options.max_participants = 512;  // the dead keep theirs
        options.max_types = 64;
        survivor_ = std::make_unique<Bus>(*name_, options);
        survivor_->subscribe("kept.*");
        survivor_->publish("kept.known", "");
        survivor_->next(0ns);
    }
    std::unique_ptr<SteppedProcess> process_at_the_start() {
        auto process = std::make_unique<SteppedProcess>([this] {
            Options options;
            options.capacity_slots = 16;
            Bus bus(*name_, options);
            const SubscriptionId subscription = bus.subscribe("victim.*");
            bus.publish("victim.event", "");
            SteppedProcess::mark();
            GetParam().run(*name_, bus, subscription);
            SteppedProcess::mark();
        });
        require(process->run_to_mark(), "the process does not start");
        return process;
    }
    // Old and new types reach the old subscriber and a new one.
    void expect_all_is_well(int round) {
        Bus fresh = survivor_->separate({});
        fresh.subscribe("kept.*");
        const std::string new_type = "kept.new" + std::to_string(round % 40);
        for (const std::string& type : {std::string("kept.known"), new_type}) {
            survivor_->publish(type.c_str(), type);
            std::optional<Event> event = survivor_->next(kPatience);
            if (event && event->type() == "kept.brand-new") event = survivor_->next(kPatience);
            ASSERT_TRUE(event) << type;
            EXPECT_EQ(event->type(), type);
            EXPECT_EQ(event->lost(), 0u);
            event = fresh.next(kPatience);
            ASSERT_TRUE(event) << type;
            EXPECT_EQ(event->type(), type);
        }
        survivor_->publish("other.type", "");
        EXPECT_FALSE(survivor_->next(0ns)) << "nothing that was not asked for";
    }

    std::unique_ptr<BusName> name_;
    std::unique_ptr<Bus> survivor_;
};

// Points that are spread over all of the operation, long loops included: a number of instructions
// behind each of its system calls.
TEST_P(KilledWhile, at_any_point_the_next_control_operation_finds_all_in_order) {
    constexpr int kPointsPerCall = 3, kInstructions = 600;
    const int calls = process_at_the_start()->step_system_calls(1'000);
    ASSERT_LT(calls, 1'000);
    RecordProperty("system_calls", calls);
    std::random_device random;
    for (int point = 0; point < kPointsPerCall * (calls + 1); ++point) {
        const int instructions = static_cast<int>(random() % kInstructions) / (point % kPointsPerCall + 1);
        SCOPED_TRACE(std::to_string(instructions) + " instructions behind system call " + std::to_string(point / kPointsPerCall));
        const auto process = process_at_the_start();
        const int done = process->step_system_calls(point / kPointsPerCall);
        if (done == point / kPointsPerCall) process->step(instructions);
        process->process().kill();
        ASSERT_NO_FATAL_FAILURE(expect_all_is_well(point));
    }
}

INSTANTIATE_TEST_SUITE_P(Control, KilledWhile, testing::ValuesIn(operations), [](const auto& operation) { return operation.param.name; });

}  // namespace
}  // namespace swarmbus::test
