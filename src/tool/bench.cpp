#include "src/tool/bench.hpp"

#include <memory>
#include <string>
#include <vector>

#include "src/tool/bench_cases.hpp"
#include "src/tool/bench_support.hpp"

namespace swarmbus::tool {
namespace {

struct BenchOptions {
    bool json = false;
    std::size_t payload = 0;
    std::string mode = "spin";
    std::string receive = "both";
    std::uint32_t rounds = 0;
    std::uint64_t events = 0;
    std::uint32_t publishers = 1, subscribers = 1;
    std::vector<std::uint32_t> fanout{1, 8, 64, 256};
};

CLI::App* add_case(CLI::App& bench, const char* name, const char* what, BenchOptions& options) {
    CLI::App* command = bench.add_subcommand(name, what);
    command->add_flag("--json", options.json, "One JSON object a line");
    return command;
}

}  // namespace

void add_bench_command(CLI::App& app, int& exit_code) {
    CLI::App* bench = app.add_subcommand("bench", "Measure the bus on this machine");
    bench->require_subcommand(1);
    bench->footer(
        "Each case makes a bus of its own, pins its processes to the first two cores and removes the bus.\n"
        "Examples:\n"
        "  swarmbus bench latency --json\n"
        "  swarmbus bench latency --payload 200 --mode futex\n"
        "  swarmbus bench throughput --publishers 4\n"
        "  swarmbus bench fanout --subscribers 1,8,64,256 --json");
    const auto options = std::make_shared<BenchOptions>();

    CLI::App* latency = add_case(*bench, "latency", "Round trip between two processes, and its floor", *options);
    latency->add_option("--payload", options->payload, "Payload bytes (default 32)");
    latency->add_option("--mode", options->mode, "spin or futex")->check(CLI::IsMember({"spin", "futex"}));
    latency->add_option("--rounds", options->rounds, "Round trips (default 400000; 20000 with futex)")->check(CLI::PositiveNumber);
    latency->callback([options, &exit_code] {
        const bool futex = options->mode == "futex";
        const std::uint32_t rounds = options->rounds != 0 ? options->rounds : futex ? 20'000 : 400'000;
        print_line(bench_latency(options->payload != 0 ? options->payload : 32, futex, rounds), options->json);
        exit_code = 0;
    });

    CLI::App* throughput = add_case(*bench, "throughput", "Events per second, nothing lost (policy block)", *options);
    throughput->add_option("--payload", options->payload, "Payload bytes, at least 8 (default 150)")->check(CLI::Range(8, 65536));
    throughput->add_option("--publishers", options->publishers, "Publishing processes")->check(CLI::Range(1, 64));
    throughput->add_option("--subscribers", options->subscribers, "Receiving processes")->check(CLI::Range(1, 64));
    throughput->add_option("--receive", options->receive, "single, batch or both")->check(CLI::IsMember({"single", "batch", "both"}));
    throughput->add_option("--events", options->events, "Events in all (default 10000000)")->check(CLI::PositiveNumber);
    throughput->callback([options, &exit_code] {
        const std::size_t payload = options->payload != 0 ? options->payload : 150;
        const std::uint64_t events = options->events != 0 ? options->events : 10'000'000;
        exit_code = 0;
        for (const bool batches : {false, true}) {
            if (options->receive != "both" && (options->receive == "batch") != batches) continue;
            const auto result = bench_throughput(payload, options->publishers, options->subscribers, batches, events);
            print_line(result, options->json);
            if (result["lost"] != 0) exit_code = 1;
        }
    });

    CLI::App* fanout = add_case(*bench, "fanout", "Cost of one publish to many subscribers", *options);
    fanout->add_option("--payload", options->payload, "Payload bytes (default 150)");
    fanout->add_option("--subscribers", options->fanout, "Numbers of subscribers")->delimiter(',')->check(CLI::Range(1, 1024));
    fanout->add_option("--events", options->events, "Events published per case (default 20480)")->check(CLI::PositiveNumber);
    fanout->callback([options, &exit_code] {
        exit_code = 0;
        for (const std::uint32_t subscribers : options->fanout) {
            const auto result =
                bench_fanout(options->payload != 0 ? options->payload : 150, subscribers, options->events != 0 ? options->events : 20'480);
            print_line(result, options->json);
            if (result["lost"] != 0) exit_code = 1;
        }
    });

    CLI::App* wake = add_case(*bench, "wake", "Waking a sleeping reader, and its floor", *options);
    wake->add_option("--rounds", options->rounds, "Wake-ups of each kind (default 2000)")->check(CLI::PositiveNumber);
    wake->callback([options, &exit_code] {
        print_line(bench_wake(options->rounds != 0 ? options->rounds : 2'000), options->json);
        exit_code = 0;
    });
}

}  // namespace swarmbus::tool
