// Every system call of an operation fails once, for every reason there may be: the operation works
// all the same or says what is wrong, and nobody else is harmed.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <tuple>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"
#include "tests/support/process_shared.hpp"
#include "tests/support/process_shm.hpp"
#include "tests/support/process_step.hpp"

namespace swarmbus::test {
namespace {

struct Operation {
    const char* name;
    bool on_a_bus_that_runs;
    void (*run)(const BusName& name, std::optional<Bus>& bus);
    friend std::ostream& operator<<(std::ostream& out, const Operation& operation) { return out << operation.name; }
};

const Operation operations[] = {
    {"creating", false, [](const BusName& name, std::optional<Bus>& bus) { bus.emplace(name); }},
    {"opening", true, [](const BusName& name, std::optional<Bus>& bus) { bus.emplace(name); }},
    {"subscribing", true, [](const BusName&, std::optional<Bus>& bus) { bus->subscribe("own.*"); }},
    {"publishing_a_new_type", true, [](const BusName&, std::optional<Bus>& bus) { bus->publish("new.type", ""); }},
    {"publishing_to_another", true,
     [](const BusName&, std::optional<Bus>& bus) {
         const Delivery delivery = bus->publisher("kept.first").publish(Message{});
         require(delivery.delivered + delivery.dropped == 1, "the publisher is told what became of its event");
     }},
    {"closing", true, [](const BusName&, std::optional<Bus>& bus) { bus.reset(); }},
    {"looking", true, [](const BusName& name, std::optional<Bus>&) { name.look(); }},
};

class FailingCalls : public testing::TestWithParam<std::tuple<Operation, int>> {
protected:
    void SetUp() override {
        if (kSanitized) GTEST_SKIP() << "a sanitizer's own system calls must not fail";
        if (!SteppedProcess::kCanFailSystemCalls) GTEST_SKIP() << "only known how to do on x86-64";
        if (!private_shm_is_allowed()) GTEST_SKIP() << "this user may not mount a file system of its own";
    }
};

// In the process whose calls fail; it ends with 0 when the operation worked or its error was clear.
void run_and_judge(const Operation& operation, const BusName& name) {
    std::optional<Bus> bus;
    if (operation.run != operations[0].run && operation.run != operations[1].run) bus.emplace(name);
    if (std::string(operation.name) == "closing") bus->subscribe("own.*");
    SteppedProcess::mark();
    std::string message;
    try {
        operation.run(name, bus);
    } catch (const Error& e) {
        message = e.what();
        if (message.empty()) message = "no text";
        if (e.code() == SWB_ERR_INTERNAL) message = "internal";
    } catch (const std::runtime_error& e) {  // look() throws the library's text
        message = e.what();
    }
    SteppedProcess::mark();
    require(message != "no text" && message != "internal", "an error without an explanation");
    if (!bus) return;
    if (!message.empty() || std::string(operation.name) != "subscribing") bus->subscribe("own.*");
    bus->publish("own.event", "");
    require(bus->next(kPatience).has_value(), "what worked, or is tried again, works");
}

TEST_P(FailingCalls, each_call_that_fails_is_survived_or_explained_and_harms_nobody_else) {
    const auto& [operation, error] = GetParam();
    Process alone([&, &operation = operation, error = error] {
        enter_private_shm("tmpfs", "size=64m");
        bool finished = false;
        for (int call = 1; !finished; ++call) {
            require(call < 500, "an operation makes hundreds of system calls");
            const BusName name;
            std::optional<Bus> survivor;
            if (operation.on_a_bus_that_runs) {
                survivor.emplace(name);
                survivor->subscribe("kept.*");
            }
            SteppedProcess victim([&, &operation = operation] { run_and_judge(operation, name); });
            require(victim.run_to_mark(), "the process starts");
            finished = !victim.fail_system_call(call, error);
            victim.leave_running();
            require(victim.process().ended_well(), "call " + std::to_string(call) + " failing ended badly: status " +
                                                       std::to_string(victim.process().wait().value_or(-1)));
            // One whose removal failed stays until it is old, and every later creation looks at it.
            for (const std::string& file : files_in_shm()) {
                if (file.starts_with("swarmbus-new.")) std::filesystem::remove("/dev/shm/" + file);
            }
            if (!survivor) survivor.emplace(name);
            survivor->subscribe("kept.* more.*");
            Process other([&] {
                Bus own(name);
                own.publish("kept.event", "");
                own.publish("more.events", "");
            });
            require(other.ended_well(), "the bus works for others, behind call " + std::to_string(call));
            std::string arrived = std::string(survivor->next(kPatience).value().type());
            if (arrived == "kept.first") arrived = survivor->next(kPatience).value().type();
            require(arrived == "kept.event", "an event arrives");
            require(survivor->next(kPatience).value().type() == "more.events", "another arrives");
            require(!survivor->next(0ns), "nothing else does");
        }
    });
    EXPECT_TRUE(alone.ended_well(2 * kPatience));
}

INSTANTIATE_TEST_SUITE_P(Fault, FailingCalls,
                         testing::Combine(testing::ValuesIn(operations), testing::Values(EINTR, EPERM, ENOMEM, ENOSPC, ENOSYS)),
                         [](const auto& param) {
                             return std::string(std::get<0>(param.param).name) + "_" + ::strerrorname_np(std::get<1>(param.param));
                         });

}  // namespace
}  // namespace swarmbus::test
