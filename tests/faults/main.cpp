// The fault harness: every operation, interrupted everywhere. See options.cpp for its command line.
#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/faults/campaign.hpp"
#include "tests/faults/stored_points.hpp"

namespace swarmbus::faults {
namespace {

Operations chosen_operations(const std::string& text) {
    Operations all;
    add_publish_operations(all);
    add_overflow_operations(all);
    add_large_operations(all);
    add_receive_operations(all);
    add_control_operations(all);
    add_reap_operations(all);
    add_register_operations(all);
    // The whole name means that one alone.
    const bool exact = std::any_of(all.begin(), all.end(), [&](const auto& operation) { return operation->name() == text; });
    std::erase_if(
        all, [&](const auto& operation) { return exact ? operation->name() != text : operation->name().find(text) == std::string::npos; });
    return all;
}

void show_heading() {
    std::printf("# %-38s %7s %7s %6s %6s %6s %6s %8s\n", "operation", "found", "tried", "kill", "stop", "slow", "missed", "seconds");
}

void show(const Report& report, std::size_t stored) {
    std::printf("# %-38s %7zu %7zu %6zu %6zu %6zu %6zu %8.1f", report.operation.c_str(), report.found, report.tried, report.failed_by_kill,
                report.failed_by_stop, report.slow, report.missed, report.seconds);
    if (report.found != stored) std::printf("  stored: %zu", stored);
    if (report.drifted != 0) std::printf("  elsewhere: %zu", report.drifted);
    std::puts("");
}

// Operations whose points alone take seconds to count: of these the tests take a few in turn.
constexpr std::size_t kLarge = 2'000, kAtATime = 2;

std::vector<std::string> whose_turn(const Operations& operations, const StoredPoints& stored) {
    std::vector<std::string> large, chosen;
    for (const auto& operation : operations) {
        if (stored.stored(operation->name()) > kLarge) large.push_back(operation->name());
    }
    std::sample(large.begin(), large.end(), std::back_inserter(chosen), kAtATime, std::mt19937(std::random_device()()));
    return chosen;
}

void show_tap(const Report& report, std::size_t number) {
    std::printf("%s %zu - %s interrupted anywhere harms nobody else\n", report.good() ? "ok" : "not ok", number, report.operation.c_str());
}

// All victims allocate from a heap that is large already: whether a call asks the kernel for more would
// depend on what the harness has kept since points were counted.
void grow_heap() {
    constexpr int kBytes = 16 << 20;
    ::mallopt(M_MMAP_THRESHOLD, kBytes);
    ::mallopt(M_TRIM_THRESHOLD, 4 * kBytes);
    ::mallopt(M_TOP_PAD, kBytes);
    void* volatile grown = std::malloc(kBytes / 2);
    std::free(grown);
}

int run(const HarnessOptions& options) {
    grow_heap();
    const auto deadline = std::chrono::steady_clock::now() + options.seconds;
    const Operations operations = chosen_operations(options.operation);
    if (operations.empty()) {
        std::fprintf(stderr, "faults: no operation has '%s' in its name\n", options.operation.c_str());
        return 2;
    }
    StoredPoints stored(options.stored);
    if (options.tap) std::printf("1..%zu\n", operations.size());
    else show_heading();
    const std::size_t share = options.sample == 0 ? 0 : std::max<std::size_t>(options.sample / operations.size(), 1);
    const std::vector<std::string> turn = whose_turn(operations, stored);
    Report total;
    total.operation = "all";
    for (std::size_t i = 0; i < operations.size(); ++i) {
        const std::string& name = operations[i]->name();
        if (options.tap && stored.stored(name) > kLarge && std::find(turn.begin(), turn.end(), name) == turn.end()) {
            std::printf("ok %zu - %s interrupted anywhere harms nobody else # SKIP others with many points have their turn\n", i + 1,
                        name.c_str());
            continue;
        }
        Report report = interrupt_everywhere(*operations[i], options, share, options.update ? 0 : stored.least(name), deadline);
        if (!options.update && stored.stored(name) == 0) {
            report.failures.push_back("it is not known how many points to expect: ./dev faults --update --operation " + name);
        }
        if (options.tap) show_tap(report, i + 1);
        show(report, stored.stored(name));
        for (const std::string& failure : report.failures) std::printf("#   %s\n", failure.c_str());
        std::fflush(stdout);
        if (options.update) stored.set(name, report.found);
        total.found += report.found, total.tried += report.tried, total.slow += report.slow, total.missed += report.missed;
        total.failed_by_kill += report.failed_by_kill, total.failed_by_stop += report.failed_by_stop;
        total.drifted += report.drifted, total.seconds += report.seconds;
        total.failures.insert(total.failures.end(), report.failures.begin(), report.failures.end());
    }
    show(total, total.found);
    if (options.update) stored.write();
    return total.good() ? 0 : 1;
}

}  // namespace
}  // namespace swarmbus::faults

int main(int argc, char** argv) {
    try {
        return swarmbus::faults::run(swarmbus::faults::parse_options(argc, argv));
    } catch (const std::exception& e) {
        std::fprintf(stderr, "faults: %s\n", e.what());
        return 1;
    }
}
