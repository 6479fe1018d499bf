// Round trips between two processes, and beside them the floor: the same round trip with nothing
// but a request and its answer on two cache lines (or two futexes).
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <swarmbus/swarmbus.hpp>

#include "src/tool/bench_cases.hpp"
#include "src/tool/bench_support.hpp"

namespace swarmbus::tool {
namespace {

// Blocks of the two kinds alternate, so that a noisy neighbour disturbs both alike.
constexpr std::uint32_t kBlocks = 20;

struct alignas(128) Line {
    std::atomic<std::uint32_t> turn{0};
};
struct FloorLines {
    Line request, answer;
    Line ready;
};

void wait_spinning(const Line& line, std::uint32_t turn) noexcept {
    while (line.turn.load(std::memory_order_acquire) != turn) {}
}

void wait_sleeping(Line& line, std::uint32_t turn) noexcept {
    for (std::uint32_t seen; (seen = line.turn.load(std::memory_order_acquire)) != turn;) {
        ::syscall(SYS_futex, &line.turn, FUTEX_WAIT, seen, nullptr, nullptr, 0);
    }
}

void pass_turn(Line& line, std::uint32_t turn, bool futex) noexcept {
    line.turn.store(turn, std::memory_order_release);
    if (futex) ::syscall(SYS_futex, &line.turn, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

void wait_for_turn(Line& line, std::uint32_t turn, bool futex) noexcept {
    if (futex) {
        wait_sleeping(line, turn);
    } else {
        wait_spinning(line, turn);
    }
}

void receive_one(Bus& bus, std::size_t payload_bytes) {
    const std::optional<Event> event = bus.next(std::chrono::seconds(10));
    if (!event || !*event) throw std::runtime_error("an event of the benchmark was lost or late");
    if (event->payload().size() != payload_bytes) throw std::runtime_error("an event of the benchmark has the wrong size");
}

Options bus_options(bool futex) {
    Options options;
    options.spin = futex ? std::chrono::nanoseconds(1) : std::chrono::nanoseconds::max();
    return options;
}

}  // namespace

nlohmann::ordered_json bench_latency(std::size_t payload_bytes, bool futex, std::uint32_t rounds) {
    pin_to_core(0);
    const std::uint32_t per_block = std::max(rounds / kBlocks, 1u);
    const BenchBus bench;
    const Shared<FloorLines> lines;
    Peer peer(1, [&] {
        Bus bus(bench.name(), bus_options(futex));
        bus.subscribe("bench.request");
        Publisher answer = bus.publisher("bench.answer");
        lines->ready.turn.store(1, std::memory_order_release);
        std::uint32_t turn = 0;
        const std::string payload(payload_bytes, 'a');
        for (std::uint32_t block = 0; block < kBlocks; ++block) {
            for (std::uint32_t i = 0; i < per_block; ++i) {
                wait_for_turn(lines->request, ++turn, futex);
                pass_turn(lines->answer, turn, futex);
            }
            for (std::uint32_t i = 0; i < per_block; ++i) {
                receive_one(bus, payload_bytes);
                answer.publish(payload);
            }
        }
    });
    Bus bus(bench.name(), bus_options(futex));
    bus.subscribe("bench.answer");
    Publisher request = bus.publisher("bench.request");
    nap_until([&] { return lines->ready.turn.load(std::memory_order_acquire) == 1; }, "the second process");

    std::vector<std::uint64_t> floor, round_trip;
    floor.reserve(kBlocks * per_block);
    round_trip.reserve(kBlocks * per_block);
    const std::string payload(payload_bytes, 'r');
    std::uint32_t turn = 0;
    for (std::uint32_t block = 0; block < kBlocks; ++block) {
        std::uint64_t before = now_ns();
        const auto sample = [&before](std::vector<std::uint64_t>& samples) {
            const std::uint64_t after = now_ns();
            samples.push_back(after - before);
            before = after;
        };
        for (std::uint32_t i = 0; i < per_block; ++i) {
            pass_turn(lines->request, ++turn, futex);
            wait_for_turn(lines->answer, turn, futex);
            sample(floor);
        }
        for (std::uint32_t i = 0; i < per_block; ++i) {
            request.publish(payload);
            receive_one(bus, payload_bytes);
            sample(round_trip);
        }
    }
    peer.join();

    nlohmann::ordered_json out{{"bench", "latency"},
                               {"mode", futex ? "futex" : "spin"},
                               {"policy", "drop_oldest"},
                               {"payload_bytes", payload_bytes},
                               {"rounds", round_trip.size()}};
    add_percentiles(out, "rtt_ns", round_trip);
    add_percentiles(out, "floor_rtt_ns", floor);
    out["ratio_p50"] = out["rtt_ns_p50"].get<double>() / out["floor_rtt_ns_p50"].get<double>();
    return out;
}

}  // namespace swarmbus::tool
