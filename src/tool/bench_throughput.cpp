// Publishers and subscribers at full rate, nothing lost: the subscribers' policy is block.
#include <algorithm>
#include <cstring>
#include <span>
#include <type_traits>

#include <swarmbus/swarmbus.hpp>

#include "src/tool/bench_cases.hpp"
#include "src/tool/bench_support.hpp"

namespace swarmbus::tool {
namespace {

constexpr std::size_t kBatch = 512;
constexpr std::uint32_t kMostProcesses = 64;

struct Progress {
    std::atomic<std::uint32_t> ready{0};
    std::atomic<std::uint32_t> go{0};
    std::atomic<std::uint64_t> last_received_ns[kMostProcesses]{};
};

// A payload of 8-byte words that all follow from publisher and sequence, so that one that is torn,
// stale or of another event does not pass.
std::uint64_t first_word(std::uint32_t publisher, std::uint64_t sequence) noexcept { return std::uint64_t{publisher} << 56 | sequence; }

constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15ull;

// Calls visit(place, bytes, word) for every 8 bytes and, constants all, the 4, 2 and 1 that remain.
template <typename Byte, typename Visit>
void for_each_piece(std::span<Byte> payload, std::uint64_t word, Visit&& visit) noexcept {
    Byte* at = payload.data();
    for (std::size_t left = payload.size() / 8; left > 0; --left, at += 8, word += kStep)
        visit(at, std::integral_constant<std::size_t, 8>(), word);
    if ((payload.size() & 4) != 0) visit(at, std::integral_constant<std::size_t, 4>(), word), at += 4;
    if ((payload.size() & 2) != 0) visit(at, std::integral_constant<std::size_t, 2>(), word), at += 2;
    if ((payload.size() & 1) != 0) visit(at, std::integral_constant<std::size_t, 1>(), word);
}

void write_payload(std::span<std::byte> payload, std::uint64_t first) noexcept {
    for_each_piece(payload, first, [](std::byte* at, auto bytes, std::uint64_t word) { std::memcpy(at, &word, bytes()); });
}

bool payload_is_whole(std::span<const std::byte> payload, std::uint64_t first) noexcept {
    std::uint64_t wrong = 0;
    for_each_piece(payload, first, [&wrong](const std::byte* at, auto bytes, std::uint64_t word) {
        std::uint64_t found = word;
        std::memcpy(&found, at, bytes());
        wrong |= found ^ word;
    });
    return wrong == 0;
}

void publish_all(const std::string& name, Progress& progress, std::uint32_t publisher, std::size_t payload_bytes, std::uint64_t events) {
    Options options;
    options.block_timeout = std::chrono::seconds(20);
    Bus bus(name, options);
    Publisher out = bus.publisher("bench.throughput");
    std::vector<std::byte> payload(payload_bytes);
    progress.ready.fetch_add(1);
    nap_until([&] { return progress.go.load() != 0; }, "the start");
    for (std::uint64_t sequence = 1; sequence <= events; ++sequence) {
        write_payload(payload, first_word(publisher, sequence));
        out.publish(payload);
    }
}

class Checker {
public:
    explicit Checker(std::uint32_t publishers) : next_(publishers, 1) {}

    void see(const Event& event) {
        lost_ += event.lost();
        if (!event) return;
        std::uint64_t first = 0;
        std::memcpy(&first, event.payload().data(), 8);
        const auto publisher = static_cast<std::uint32_t>(first >> 56);
        const std::uint64_t sequence = first & ((std::uint64_t{1} << 56) - 1);
        if (publisher >= next_.size() || sequence < next_[publisher] || !payload_is_whole(event.payload(), first)) {
            throw std::runtime_error("an event is torn, doubled or out of order");
        }
        lost_unseen_ += sequence - next_[publisher];
        next_[publisher] = sequence + 1;
        ++received_;
    }
    bool complete(std::uint64_t total) const noexcept { return received_ + std::max(lost_, lost_unseen_) >= total; }
    std::uint64_t lost() const noexcept { return std::max(lost_, lost_unseen_); }

private:
    std::vector<std::uint64_t> next_;
    std::uint64_t received_ = 0, lost_ = 0, lost_unseen_ = 0;
};

void receive_all(const std::string& name, Progress& progress, std::atomic<std::uint64_t>& lost, std::uint32_t index,
                 std::uint32_t publishers, std::uint64_t total, bool batches) {
    Options options;
    options.overflow = Overflow::block;
    options.spin = std::chrono::nanoseconds::max();
    Bus bus(name, options);
    bus.subscribe("bench.*");
    Checker checker(publishers);
    progress.ready.fetch_add(1);
    while (!checker.complete(total)) {
        if (batches) {
            const std::span<const Event> events = bus.next_batch(kBatch, std::chrono::seconds(10));
            if (events.empty()) throw std::runtime_error("no event came for ten seconds");
            for (const Event& event : events) checker.see(event);
        } else {
            const std::optional<Event> event = bus.next(std::chrono::seconds(10));
            if (!event) throw std::runtime_error("no event came for ten seconds");
            checker.see(*event);
        }
    }
    progress.last_received_ns[index].store(now_ns());
    lost.fetch_add(checker.lost());
}

}  // namespace

nlohmann::ordered_json bench_throughput(std::size_t payload_bytes, std::uint32_t publishers, std::uint32_t subscribers, bool batches,
                                        std::uint64_t events) {
    const BenchBus bench;
    const Shared<Progress> progress;
    const Shared<std::atomic<std::uint64_t>> lost;
    const std::uint64_t each = events / publishers;
    std::vector<std::unique_ptr<Peer>> peers;
    for (std::uint32_t i = 0; i < subscribers; ++i) {
        peers.push_back(
            std::make_unique<Peer>(1, [&, i] { receive_all(bench.name(), *progress, *lost, i, publishers, each * publishers, batches); }));
    }
    nap_until([&] { return progress->ready.load() == subscribers; }, "the subscribers");
    for (std::uint32_t i = 0; i < publishers; ++i) {
        peers.push_back(std::make_unique<Peer>(0, [&, i] { publish_all(bench.name(), *progress, i, payload_bytes, each); }));
    }
    nap_until([&] { return progress->ready.load() == subscribers + publishers; }, "the publishers");
    const std::uint64_t start = now_ns();
    progress->go.store(1);
    for (const auto& peer : peers) peer->join();
    std::uint64_t end = start + 1;
    for (std::uint32_t i = 0; i < subscribers; ++i) end = std::max(end, progress->last_received_ns[i].load());
    const double seconds = static_cast<double>(end - start) / 1e9;
    return {{"bench", "throughput"},
            {"policy", "block"},
            {"payload_bytes", payload_bytes},
            {"publishers", publishers},
            {"subscribers", subscribers},
            {"receive", batches ? "batch" : "single"},
            {"events", each * publishers},
            {"seconds", seconds},
            {"events_per_s", static_cast<std::uint64_t>(static_cast<double>(each * publishers) / seconds)},
            {"lost", lost->load()}};
}

}  // namespace swarmbus::tool
