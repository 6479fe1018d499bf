// The calls of the way of an event, alone in one process and one thread, through the public API: what a
// publish to one inbox costs its caller, and what receiving does; and what it costs to join a bus, or to make one.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include <swarmbus/swarmbus.hpp>

namespace {

using swarmbus::Bus;

constexpr int kEvents = 512;  // at a time: half of the inbox

struct Scene {
    const std::string name = "bench-calls-" + std::to_string(::getpid());
    Bus bus{name, options()};
    swarmbus::Publisher publisher = bus.publisher("bench.event");
    const std::string payload;

    explicit Scene(const benchmark::State& state) : payload(static_cast<std::size_t>(state.range(0)), 'x') { bus.subscribe("bench.*"); }
    ~Scene() { swb_remove(name.c_str(), 1); }

    static swarmbus::Options options() {
        swarmbus::Options options;
        options.overflow = swarmbus::Overflow::drop_newest;
        return options;
    }
    void publish() {
        for (int n = 0; n < kEvents; ++n) publisher.publish(payload);
    }
    void receive() {
        for (int n = 0; n < kEvents; ++n) {
            if (!bus.next(std::chrono::nanoseconds(0))) std::abort();
        }
    }
};

void tell_time_of_a_call(benchmark::State& state) {
    state.counters["per_call"] = benchmark::Counter(kEvents, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void publish(benchmark::State& state) {
    Scene scene(state);
    for (auto _ : state) {
        scene.publish();
        state.PauseTiming();
        scene.receive();
        state.ResumeTiming();
    }
    tell_time_of_a_call(state);
}
BENCHMARK(publish)->Arg(32)->Arg(150);

void next(benchmark::State& state) {
    Scene scene(state);
    for (auto _ : state) {
        state.PauseTiming();
        scene.publish();
        state.ResumeTiming();
        scene.receive();
    }
    tell_time_of_a_call(state);
}
BENCHMARK(next)->Arg(32)->Arg(150);

// A process's first handle on a bus that others have made, and its end.
void open_and_close(benchmark::State& state) {
    const std::string name = "bench-open-" + std::to_string(::getpid());
    { const Bus made(name); }
    for (auto _ : state) const Bus bus(name);
    swb_remove(name.c_str(), 1);
}
BENCHMARK(open_and_close)->Unit(benchmark::kMicrosecond);

void create_and_remove(benchmark::State& state) {
    const std::string name = "bench-create-" + std::to_string(::getpid());
    for (auto _ : state) {
        { const Bus bus(name); }
        swb_remove(name.c_str(), 1);
    }
}
BENCHMARK(create_and_remove)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
