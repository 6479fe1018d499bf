#include "tests/faults/campaign.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <random>

#include "tests/faults/trial.hpp"

namespace swarmbus::faults {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// Survivors have 100 ms. A machine that is busy elsewhere takes longer now and then: the trial is
// repeated with more patience. Less than the second after which every sleeper looks by itself: who was
// not woken is late each time.
constexpr std::array<std::chrono::nanoseconds, 3> kPatience = {100ms + kStallTimeout, 300ms, 700ms};
constexpr std::size_t kSpreadSample = 2'000;
constexpr std::size_t kMostMissed = 20;  // one in so many may be over before its point
constexpr std::size_t kMostSlow = 4;     // one in so many may need more than the first patience, and these few at any rate:
constexpr std::size_t kFewSlow = 10;
constexpr std::size_t kMostFailuresTold = 10;

// So many of the numbers, spread evenly from a place that differs from run to run.
std::vector<std::size_t> spread(const std::vector<std::size_t>& numbers, std::size_t wanted) {
    if (wanted >= numbers.size()) return numbers;
    std::vector<std::size_t> chosen;
    std::random_device random;
    const std::size_t start = random() % numbers.size();
    for (std::size_t i = 0; i < wanted; ++i) chosen.push_back(numbers[(start + i * numbers.size()) / wanted % numbers.size()]);
    std::sort(chosen.begin(), chosen.end());
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    return chosen;
}

std::vector<std::size_t> choose(const Operation& operation, const std::vector<Point>& points, const HarnessOptions& options,
                                std::size_t share) {
    if (options.point) return {std::min(*options.point, std::max<std::size_t>(points.size(), 1))};
    std::vector<std::size_t> all, calls;
    for (std::size_t number = 1; number <= points.size(); ++number) {
        all.push_back(number);
        if (points[number - 1].system_call()) calls.push_back(number);
    }
    if (share > 0) return spread(all, share);
    if (operation.every_point()) return all;
    std::vector<std::size_t> chosen = spread(all, kSpreadSample);
    chosen.insert(chosen.end(), calls.begin(), calls.end());
    std::sort(chosen.begin(), chosen.end());
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    return chosen;
}

class Campaign {
public:
    Campaign(Operation& operation, const HarnessOptions& options, Report& report)
        : operation_(operation), options_(options), report_(report) {}

    void try_all(const std::vector<Point>& points, const std::vector<std::size_t>& chosen, Clock::time_point deadline) {
        for (const std::size_t number : chosen) {
            for (const Action action : {Action::kill, Action::stop}) {
                if (options_.action != Action::none && options_.action != action) continue;
                if (Clock::now() > deadline) {
                    report_.failures.push_back("the time was up before point " + std::to_string(number));
                    return;
                }
                try_one(points, number, action);
            }
            ++report_.tried;
        }
    }

private:
    void try_one(const std::vector<Point>& points, std::size_t number, Action action) {
        TrialResult result;
        std::size_t repeated = 0;
        for (const std::chrono::nanoseconds patience : kPatience) {
            result = try_point(operation_, points, number, action, patience);
            if (result.outcome != Outcome::late && result.outcome != Outcome::ended_before) break;
            ++repeated;
        }
        if (repeated > 0 && result.outcome != Outcome::ended_before) ++report_.slow;
        if (result.drifted) ++report_.drifted;
        if (result.outcome == Outcome::ended_before) ++report_.missed;
        else if (result.outcome != Outcome::good) tell(points, number, action, result);
    }

    void tell(const std::vector<Point>& points, std::size_t number, Action action, const TrialResult& result) {
        ++(action == Action::kill ? report_.failed_by_kill : report_.failed_by_stop);
        if (report_.failures.size() >= kMostFailuresTold) return;
        report_.failures.push_back(std::string(name_of(action)) + " at point " + std::to_string(number) + " (" +
                                   describe(points[number - 1]) + "): " + result.reason + "\n#     ./dev faults --operation " +
                                   operation_.name() + " --point " + std::to_string(number) + " --action " + name_of(action));
    }

    Operation& operation_;
    const HarnessOptions& options_;
    Report& report_;
};

}  // namespace

Report interrupt_everywhere(Operation& operation, const HarnessOptions& options, std::size_t share, std::size_t least_points,
                            Clock::time_point deadline) {
    const auto start = Clock::now();
    Report report;
    report.operation = operation.name();
    const Counted counted = count_points(operation);
    report.found = counted.points.size();
    if (options.list) {
        for (std::size_t i = 0; i < report.found; ++i) std::printf("# %5zu %s\n", i + 1, describe(counted.points[i]).c_str());
        return report;
    }
    if (counted.result.outcome != Outcome::good) {
        report.failures.push_back("without any fault: " + counted.result.reason);
    } else {
        if (report.found < least_points) {
            report.failures.push_back("only " + std::to_string(report.found) + " points were found, at least " +
                                      std::to_string(least_points) + " are expected; if they are no more, ./dev faults --update");
        }
        const std::vector<std::size_t> chosen = choose(operation, counted.points, options, share);
        report.chosen = chosen.size();
        Campaign(operation, options, report).try_all(counted.points, chosen, deadline);
        if (report.missed * kMostMissed > report.tried) {
            report.failures.push_back(std::to_string(report.missed) + " times the operation was over before its point");
        }
        if (report.slow > kFewSlow && report.slow * kMostSlow > report.tried) {
            report.failures.push_back(std::to_string(report.slow) + " times the others needed longer than 100 ms");
        }
    }
    report.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return report;
}

}  // namespace swarmbus::faults
