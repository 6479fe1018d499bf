// One publish call to many inboxes, all drained by one reader process.
#include <cstring>

#include <swarmbus/swarmbus.hpp>

#include "src/tool/bench_cases.hpp"
#include "src/tool/bench_support.hpp"

namespace swarmbus::tool {
namespace {

// Publishing pauses after this many events until the reader has them all: the calls are timed, not
// the reader, and no inbox overflows.
constexpr std::uint64_t kBurst = 256;

struct Progress {
    std::atomic<std::uint32_t> ready{0};
    alignas(128) std::atomic<std::uint64_t> received{0};
    std::atomic<std::uint64_t> lost{0};
};

void drain(const std::string& name, Progress& progress, std::uint32_t subscribers, std::uint64_t total) {
    Options options;
    options.spin = std::chrono::nanoseconds::max();
    Bus bus(name, options);
    bus.subscribe("bench.fanout");
    std::vector<Bus> others;
    for (std::uint32_t i = 1; i < subscribers; ++i) {
        others.push_back(bus.separate(options));
        others.back().subscribe("bench.fanout");
    }
    std::vector<Bus*> inboxes{&bus};
    for (Bus& other : others) inboxes.push_back(&other);
    progress.ready.store(1);
    std::uint64_t received = 0, lost = 0, sum = 0;
    std::uint64_t last_progress = now_ns();
    while (received + lost < total) {
        const std::uint64_t before = received;
        for (Bus* inbox : inboxes) {
            for (const Event& event : inbox->next_batch(kBurst, std::chrono::nanoseconds(0))) {
                lost += event.lost();
                if (!event) continue;
                for (const std::byte b : event.payload()) sum += std::to_integer<std::uint64_t>(b);
                ++received;
            }
        }
        if (received == before) {
            if (now_ns() - last_progress > 10'000'000'000)
                throw std::runtime_error("no event came for ten seconds; received " + std::to_string(received) + ", lost " +
                                         std::to_string(lost) + " of " + std::to_string(total));
            continue;
        }
        last_progress = now_ns();
        progress.received.store(received, std::memory_order_release);
    }
    progress.lost.store(lost + (sum == 0 ? 1 : 0));
}

}  // namespace

nlohmann::ordered_json bench_fanout(std::size_t payload_bytes, std::uint32_t subscribers, std::uint64_t events) {
    pin_to_core(0);
    const BenchBus bench;
    const Shared<Progress> progress;
    const std::uint64_t sent = std::max(events / kBurst, std::uint64_t{1}) * kBurst;
    Peer peer(1, [&] { drain(bench.name(), *progress, subscribers, sent * subscribers); });
    Bus bus(bench.name());
    Publisher out = bus.publisher("bench.fanout");
    const std::string payload(payload_bytes, 'f');
    nap_until([&] { return progress->ready.load() == 1; }, "the subscribers");

    std::vector<std::uint64_t> calls;  // mean of each burst
    for (std::uint64_t done = 0; done < sent; done += kBurst) {
        const std::uint64_t before = now_ns();
        for (std::uint64_t i = 0; i < kBurst; ++i) out.publish(payload);
        calls.push_back((now_ns() - before) / kBurst);
        const std::uint64_t expected = (done + kBurst) * subscribers;
        if (done + kBurst < sent) {
            spin_until([&] { return progress->received.load(std::memory_order_acquire) >= expected; }, "the reader");
        }
    }
    peer.join();
    nlohmann::ordered_json result{{"bench", "fanout"},
                                  {"policy", "drop_oldest"},
                                  {"payload_bytes", payload_bytes},
                                  {"subscribers", subscribers},
                                  {"sent", sent},
                                  {"received", progress->received.load()},
                                  {"lost", progress->lost.load()}};
    add_percentiles(result, "publish_ns", calls);
    result["ns_per_subscriber"] = result["publish_ns_p50"].get<double>() / subscribers;
    return result;
}

}  // namespace swarmbus::tool
