// Processes that publish to each other from their handlers, into inboxes that make publishers wait:
// each waits for room that only the other can make, which waits likewise.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process_reaping.hpp"

namespace swarmbus::test {
namespace {

struct Report {
    std::uint64_t told = 0;
    std::uint64_t lost_by[SWB_LOSS_CAUSES] = {};
};

constexpr auto kBlockTimeout = 5ms;

struct Progress {
    std::array<std::atomic<std::uint64_t>, 2> handled{};
    std::atomic<bool> stop{false};
};

const std::array<std::string, 2> types = {"to.a", "to.b"};

// Answers each event by two to the other from its handler.
Report answer_twice(const BusName& name, std::size_t me, Progress& progress, const Channel<int>& ready, const Channel<int>& go) {
    Options options = small_inbox(Overflow::block);
    options.block_timeout = kBlockTimeout;
    Bus bus(name, options);
    Report report;
    bus.subscribe(types[me], [&](const Event& event) {
        ++progress.handled[me];
        report.told += event.lost();
        bus.publish(types[1 - me], "");
        bus.publish(types[1 - me], "");
    });
    ready.send(1);
    go.receive();
    while (!progress.stop) bus.run_once(10ms);
    detail::check(swb_losses(bus.raw(), report.lost_by));
    return report;
}

TEST(MutualBlock, two_processes_that_answer_from_their_handlers_into_full_inboxes_both_go_on_and_losses_are_told) {
    const BusName name;
    Bus bus(name);
    constexpr std::uint64_t kWanted = 400;
    Channel<int> ready, go;
    Channel<Report> reports;
    Shared<Progress> progress;
    std::vector<std::unique_ptr<Process>> processes;
    for (std::size_t i = 0; i < 2; ++i) {
        processes.push_back(std::make_unique<Process>([&, i] { reports.send(answer_twice(name, i, *progress, ready, go)); }));
        ASSERT_TRUE(ready.receive());
    }
    for (int n = 0; n < 16; ++n) {  // both are full at the start
        for (const std::string& type : types) ASSERT_EQ(bus.publish(type, Message{}).delivered, 1u);
    }
    go.send(1);
    go.send(1);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_TRUE(eventually([&] { return progress->handled[i] >= kWanted; })) << i << " does not go on: " << progress->handled[i];
    }
    progress->stop = true;
    std::uint64_t by_timeout = 0;
    for (int i = 0; i < 2; ++i) {
        const auto report = reports.receive();
        ASSERT_TRUE(report);
        by_timeout += report->lost_by[SWB_LOSS_TIMEOUT];
        EXPECT_EQ(report->lost_by[SWB_LOSS_EVICTED] + report->lost_by[SWB_LOSS_FULL] + report->lost_by[SWB_LOSS_NO_SLOT] +
                      report->lost_by[SWB_LOSS_DAMAGED],
                  0u);
        EXPECT_LE(report->told, report->lost_by[SWB_LOSS_TIMEOUT] + report->lost_by[SWB_LOSS_SELF]);
    }
    EXPECT_GT(by_timeout, 0u) << "they were in each other's way";
    for (auto& process : processes) EXPECT_TRUE(process->ended_well());
}

// The same within one process: the thread that runs the handler of the full inbox is the only one
// who could make room there.
TEST(MutualBlock, a_process_that_answers_itself_from_its_handler_loses_what_does_not_fit_at_once) {
    const BusName name;
    Options options = small_inbox(Overflow::block);
    options.block_timeout = kLongWait;
    Bus bus(name, options);
    std::uint64_t handled = 0, told = 0, sent = 0;
    bus.subscribe("to.self", [&](const Event& event) {
        ++handled;
        told += event.lost();
        if (handled > 400) return;
        bus.publish("to.self", "");
        bus.publish("to.self", "");
        sent += 2;
    });
    bus.publish("to.self", "");
    ++sent;
    const auto start = std::chrono::steady_clock::now();
    while (bus.run_once(0ns) > 0) {}
    EXPECT_LT(std::chrono::steady_clock::now() - start, kPatience);
    EXPECT_GT(handled, 400u);
    EXPECT_EQ(handled + bus.lost(LossCause::self), sent);
    EXPECT_GT(told, 0u);
    EXPECT_LE(told, bus.lost(LossCause::self));
}

}  // namespace
}  // namespace swarmbus::test
