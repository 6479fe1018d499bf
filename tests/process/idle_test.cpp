// What many sleepers cost while nobody publishes.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process_reaping.hpp"

namespace swarmbus::test {
namespace {

constexpr int kProcesses = 4, kThreads = 64;
constexpr auto kWatched = 3s;
// Of one core. What it is: about a fifth of that.
constexpr double kMostShare = 0.03;

std::chrono::microseconds cpu_time() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto of = [](const timeval& t) { return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec); };
    return of(usage.ru_utime) + of(usage.ru_stime);
}

enum class Waits { in_epoll, in_a_blocking_call };

class Idle : public testing::TestWithParam<Waits> {
protected:
    void SetUp() override {
        if (kSanitized) GTEST_SKIP() << "sanitizers change what things cost";
    }

    static void wait_for_events(Bus& bus) {
        if (GetParam() == Waits::in_a_blocking_call) {
            for (;;) {
                if (const auto event = bus.next(); event && event->type() == "wake.all") return;
            }
        }
        int descriptor = -1;
        detail::check(swb_descriptor(bus.raw(), &descriptor));
        const int set = ::epoll_create1(EPOLL_CLOEXEC);
        epoll_event asked{};
        asked.events = EPOLLIN;
        require(::epoll_ctl(set, EPOLL_CTL_ADD, descriptor, &asked) == 0, "epoll_ctl");
        for (bool woken = false; !woken;) {
            epoll_event event{};
            ::epoll_wait(set, &event, 1, -1);
            while (const auto received = bus.next(0ns)) woken = woken || received->type() == "wake.all";
        }
        ::close(set);
    }

    // CPU time of 256 sleepers, over the time they are watched; then all are woken.
    std::chrono::microseconds cost() {
        const BusName name;
        Bus bus(name);
        bus.publish("wake.all", "");
        Channel<int> ready;
        std::vector<std::unique_ptr<Channel<int>>> measure;
        Channel<std::chrono::microseconds> costs;
        std::vector<std::unique_ptr<Process>> processes;
        for (int p = 0; p < kProcesses; ++p) {
            measure.push_back(std::make_unique<Channel<int>>());
            processes.push_back(std::make_unique<Process>([&, p] {
                Bus own(name, small_inbox());
                std::vector<Bus> handles;
                for (int t = 0; t < kThreads; ++t) {
                    handles.push_back(own.separate(small_inbox()));
                    handles.back().subscribe("wake.*");
                }
                std::vector<std::thread> threads;
                for (Bus& handle : handles) threads.emplace_back([&handle] { wait_for_events(handle); });
                ready.send(p);
                for (int round = 0;; ++round) {
                    if (*measure[p]->receive(std::chrono::hours(1)) == 0) break;
                    const auto before = cpu_time();
                    std::this_thread::sleep_for(kWatched);
                    costs.send(cpu_time() - before);
                }
                for (std::thread& thread : threads) thread.join();
            }));
            require(ready.receive().has_value(), "the sleepers did not start");
        }
        std::this_thread::sleep_for(1'500ms);  // all have settled down
        std::chrono::microseconds least = std::chrono::hours(1);
        for (int attempt = 0; attempt < 3 && least > kMostShare * kWatched; ++attempt) {  // others may disturb one
            std::chrono::microseconds sum{};
            for (int p = 0; p < kProcesses; ++p) measure[p]->send(1);
            for (int p = 0; p < kProcesses; ++p) sum += costs.receive().value();
            least = std::min(least, sum);
        }
        for (int p = 0; p < kProcesses; ++p) measure[p]->send(0);
        EXPECT_EQ(bus.publish("wake.all", Message{}).delivered, static_cast<std::uint32_t>(kProcesses * kThreads));
        for (auto& process : processes) EXPECT_TRUE(process->ended_well()) << "all are woken";
        return least;
    }
};

TEST_P(Idle, so_many_as_256_sleepers_take_next_to_no_cpu_while_nobody_publishes) {
    const auto took = cost();
    RecordProperty("us_per_second", static_cast<int>(took / kWatched.count() / 1us));
    EXPECT_LT(took, kMostShare * kWatched) << took.count() << " us in " << kWatched.count() << " s";
}

INSTANTIATE_TEST_SUITE_P(, Idle, testing::Values(Waits::in_epoll, Waits::in_a_blocking_call),
                         [](const auto& waits) { return waits.param == Waits::in_epoll ? "in_epoll" : "in_a_blocking_call"; });

}  // namespace
}  // namespace swarmbus::test
