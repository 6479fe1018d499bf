// The single steps of an event's way, each alone in one process and one thread. For the whole way
// between processes see `swarmbus bench`.
#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "src/clock/clock.hpp"
#include "src/inbox/publish_side.hpp"
#include "src/inbox/reader.hpp"
#include "src/inbox/slot.hpp"
#include "src/routing/pattern.hpp"
#include "src/words/table_words.hpp"
#include "src/words/waking_words.hpp"

namespace {

using namespace swarmbus::core;

constexpr std::uint32_t kCapacity = 1024;
constexpr std::uint32_t kSlotBytes = 256;
constexpr std::uint32_t kWriter = 1;

class NobodyDies final : public DeathEvidence {
public:
    bool proven_dead(std::uint32_t) override { return false; }
};

// An inbox in private memory.
struct PrivateInbox {
    std::unique_ptr<swb_l_inbox> lines = std::make_unique<swb_l_inbox>();
    std::vector<std::uint64_t> claims = std::vector<std::uint64_t>(kCapacity);
    std::vector<std::array<std::byte, kSlotBytes>> slots = std::vector<std::array<std::byte, kSlotBytes>>(kCapacity);
    Target target;

    explicit PrivateInbox(Overflow policy) {
        words::reset_inbox(*lines, kCapacity);
        target.ring = {lines.get(), claims.data(), slots.front().data(), kCapacity, kSlotBytes};
        target.policy = policy;
        target.head = words::load_head(*lines);
    }
};

OutgoingEvent event_of(const std::vector<std::byte>& payload) {
    OutgoingEvent event;
    event.writer = kWriter;
    event.sequence = 1;
    event.payload = payload;
    return event;
}

// Claim, write, commit, fence, settle; the inbox is drop_oldest and always full: evicts each time.
void claim_and_commit_evicting(benchmark::State& state) {
    PrivateInbox inbox(Overflow::drop_oldest);
    NobodyDies evidence;
    const std::vector<std::byte> payload(static_cast<std::size_t>(state.range(0)));
    const OutgoingEvent event = event_of(payload);
    for (auto _ : state) {
        const Claimed claimed = claim(inbox.target, kWriter, evidence);
        encode(inbox.target.ring.slot(claimed.at), event, 0);
        commit(inbox.target.ring, claimed.at);
        full_fence();
        benchmark::DoNotOptimize(settle(inbox.target.ring, claimed.at, kWriter));
    }
}
BENCHMARK(claim_and_commit_evicting)->Arg(32)->Arg(150)->Arg(200);

// The same with a reader that keeps up, taking and releasing each event.
void claim_commit_and_take(benchmark::State& state) {
    const auto policy = static_cast<Overflow>(state.range(0));
    PrivateInbox inbox(policy);
    InboxReader reader(inbox.target.ring, policy, 50'000'000);
    NobodyDies evidence;
    const std::vector<std::byte> payload(32);
    const OutgoingEvent event = event_of(payload);
    for (auto _ : state) {
        const Claimed claimed = claim(inbox.target, kWriter, evidence);
        encode(inbox.target.ring.slot(claimed.at), event, 0);
        commit(inbox.target.ring, claimed.at);
        full_fence();
        benchmark::DoNotOptimize(settle(inbox.target.ring, claimed.at, kWriter));
        benchmark::DoNotOptimize(reader.take(1));
    }
}
BENCHMARK(claim_commit_and_take)->ArgName("policy")->Arg(0)->Arg(1)->Arg(2);

void decode_slot(benchmark::State& state) {
    std::array<std::byte, kSlotBytes> slot{};
    const std::vector<std::byte> payload(150);
    encode(slot.data(), event_of(payload), 0);
    for (auto _ : state) {
        IncomingEvent event;
        benchmark::DoNotOptimize(decode(slot.data(), slot.size(), event));
        benchmark::DoNotOptimize(event);
    }
}
BENCHMARK(decode_slot);

void read_route(benchmark::State& state) {
    alignas(64) std::uint64_t row[17] = {};
    auto& route = *reinterpret_cast<swb_l_route*>(row);
    words::store_route(route.summary, 1);
    words::store_route(row[1], 1);
    for (auto _ : state) {
        benchmark::DoNotOptimize(words::load_route(route.summary));
        benchmark::DoNotOptimize(words::load_route(row[1]));
    }
}
BENCHMARK(read_route);

void match_pattern(benchmark::State& state, const char* pattern, const char* type) {
    const Pattern compiled(pattern);
    const std::string name(type);
    for (auto _ : state) benchmark::DoNotOptimize(compiled.matches(name));
}
BENCHMARK_CAPTURE(match_pattern, exact, "agent.status.changed", "agent.status.changed");
BENCHMARK_CAPTURE(match_pattern, star, "agent.*", "agent.status.changed");
BENCHMARK_CAPTURE(match_pattern, plus, "agent.+.changed", "agent.status.changed");
BENCHMARK_CAPTURE(match_pattern, many_stars, "*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");

void wake_check(benchmark::State& state) {
    swb_l_inbox inbox{};
    for (auto _ : state) {
        full_fence();
        benchmark::DoNotOptimize(words::reader_rests(words::load_wake(inbox)));
    }
}
BENCHMARK(wake_check);

void time_stamp(benchmark::State& state) {
    StampClock clock;
    for (auto _ : state) benchmark::DoNotOptimize(clock.now_ns());
}
BENCHMARK(time_stamp);

}  // namespace

BENCHMARK_MAIN();
