// What typed events cost beside the bytes they are made of, in one process and one thread: publishing a table of six
// fields, three of them texts, against publishing the same bytes; reading and writing JSON.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include <swarmbus/events.hpp>
#include <swarmbus/swarmbus.hpp>

namespace {

using namespace swarmbus;

constexpr int kEvents = 512;  // at a time: half of the inbox
constexpr const char* kType = event_types::agent_task_assigned;
constexpr std::string_view kJson =
    R"({"agent_id":"agent-0000000017","task_id":"summarise-report-42","assigned_by":"planner","priority":3,"deadline_ms":1800000000000})";
// A table of 200 bytes.
constexpr std::string_view kLongerJson =
    R"({"agent_id":"agent-0000000017","previous_status":"waiting for the reviewer","new_status":"working on the summary",)"
    R"("reason":"the reviewer has answered with three remarks and a question"})";

events::AgentTaskAssignedT assigned() {
    events::AgentTaskAssignedT object;
    object.agent_id = "agent-0000000017";
    object.task_id = "summarise-report-42";
    object.assigned_by = "planner";
    object.priority = 3;
    object.deadline_ms = 1'800'000'000'000;
    return object;
}

struct Scene {
    const std::string name = "bench-types-" + std::to_string(::getpid());
    Bus bus{name, options()};

    Scene() { bus.subscribe("agent.*"); }
    ~Scene() { swb_remove(name.c_str(), 1); }

    static Options options() {
        Options options;
        options.overflow = Overflow::drop_newest;
        return options;
    }
    std::vector<std::byte> published_as_json(const char* type, std::string_view json) {
        bus.publish_json(type, json);
        const auto event = bus.next(std::chrono::nanoseconds(0));
        return {event->payload().begin(), event->payload().end()};
    }
    void drain() {
        while (bus.next(std::chrono::nanoseconds(0))) {}
    }
};

template <typename Publish>
void measure_publish(benchmark::State& state, Scene& scene, Publish&& publish) {
    for (auto _ : state) {
        for (int n = 0; n < kEvents; ++n) publish();
        state.PauseTiming();
        scene.drain();
        state.ResumeTiming();
    }
    state.counters["per_call"] = benchmark::Counter(kEvents, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void publish_bytes(benchmark::State& state) {
    Scene scene;
    const std::vector<std::byte> payload = scene.published_as_json(kType, kJson);
    Publisher publisher = scene.bus.publisher(kType);
    state.counters["bytes"] = static_cast<double>(payload.size());
    Message message;
    message.payload = payload;
    message.encoding = Encoding::flatbuffers;
    measure_publish(state, scene, [&] { publisher.publish(message); });
}
BENCHMARK(publish_bytes);

void publish_built(benchmark::State& state) {
    Scene scene;
    TypedPublisher<events::AgentTaskAssigned> publisher(scene.bus);
    measure_publish(state, scene, [&] {
        publisher.publish([](flatbuffers::FlatBufferBuilder& builder) {
            return events::CreateAgentTaskAssignedDirect(builder, "agent-0000000017", "summarise-report-42", "planner", 3,
                                                         1'800'000'000'000);
        });
    });
}
BENCHMARK(publish_built);

void publish_object(benchmark::State& state) {
    Scene scene;
    TypedPublisher<events::AgentTaskAssigned> publisher(scene.bus);
    const events::AgentTaskAssignedT object = assigned();
    measure_publish(state, scene, [&] { publisher.publish(object); });
}
BENCHMARK(publish_object);

void publish_json(benchmark::State& state) {
    Scene scene;
    const std::string json(kLongerJson);
    const std::string type = event_types::agent_status_changed;
    measure_publish(state, scene, [&] { scene.bus.publish_json(type, json); });
}
BENCHMARK(publish_json);

void event_to_json(benchmark::State& state) {
    Scene scene;
    scene.bus.publish_json(event_types::agent_status_changed, kLongerJson);
    const EventCopy event(*scene.bus.next(std::chrono::nanoseconds(0)));
    state.counters["bytes"] = static_cast<double>(event.view().payload().size());
    for (auto _ : state) benchmark::DoNotOptimize(scene.bus.to_json(event.view()));
    state.counters["per_s"] = benchmark::Counter(1, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(event_to_json);

}  // namespace

BENCHMARK_MAIN();
