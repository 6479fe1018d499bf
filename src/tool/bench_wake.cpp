// Waking a sleeping reader, and beside it the same with a bare futex.
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <swarmbus/swarmbus.hpp>

#include "src/tool/bench_cases.hpp"
#include "src/tool/bench_support.hpp"

namespace swarmbus::tool {
namespace {

struct Progress {
    std::atomic<std::uint32_t> ready{0};
    alignas(128) std::atomic<std::uint32_t> futex{0};
    alignas(128) std::atomic<std::uint64_t> woken_ns{0};
};

// Long enough for the reader to be asleep.
void let_reader_sleep() {
    const timespec pause{0, 300'000};
    ::nanosleep(&pause, nullptr);
}

}  // namespace

nlohmann::ordered_json bench_wake(std::uint32_t rounds) {
    pin_to_core(0);
    const BenchBus bench;
    const Shared<Progress> progress;
    Peer peer(1, [&] {
        Options options;
        options.spin = std::chrono::nanoseconds(1);
        Bus bus(bench.name(), options);
        bus.subscribe("bench.wake");
        progress->ready.store(1);
        for (std::uint32_t i = 0; i < rounds; ++i) {
            while (progress->futex.load() != i + 1) ::syscall(SYS_futex, &progress->futex, FUTEX_WAIT, i, nullptr, nullptr, 0);
            progress->woken_ns.store(now_ns());
            if (!bus.next(std::chrono::seconds(10))) throw std::runtime_error("an event of the benchmark was lost or late");
            progress->woken_ns.store(now_ns());
        }
    });
    Bus bus(bench.name());
    Publisher out = bus.publisher("bench.wake");
    nap_until([&] { return progress->ready.load() == 1; }, "the reader");
    std::vector<std::uint64_t> floor, wake, call;
    for (std::uint32_t i = 0; i < rounds; ++i) {
        const auto woken = [&] { return progress->woken_ns.load() != 0; };
        let_reader_sleep();
        progress->woken_ns.store(0);
        std::uint64_t before = now_ns();
        progress->futex.store(i + 1);
        ::syscall(SYS_futex, &progress->futex, FUTEX_WAKE, 1, nullptr, nullptr, 0);
        spin_until(woken, "the bare futex");
        floor.push_back(progress->woken_ns.load() - before);

        let_reader_sleep();
        progress->woken_ns.store(0);
        before = now_ns();
        out.publish(std::string_view("wake"));
        call.push_back(now_ns() - before);
        spin_until(woken, "the reader");
        wake.push_back(progress->woken_ns.load() - before);
    }
    peer.join();
    nlohmann::ordered_json result{{"bench", "wake"}, {"policy", "drop_oldest"}, {"payload_bytes", 4}, {"rounds", rounds}};
    add_percentiles(result, "wake_ns", wake);
    add_percentiles(result, "publish_ns", call);
    add_percentiles(result, "floor_wake_ns", floor);
    result["ratio_p50"] = result["wake_ns_p50"].get<double>() / result["floor_wake_ns_p50"].get<double>();
    return result;
}

}  // namespace swarmbus::tool
