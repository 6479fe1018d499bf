#include "tests/faults/trial.hpp"

#include <sys/mman.h>
#include <time.h>

#include <algorithm>
#include <new>
#include <stdexcept>

#include "tests/faults/checks.hpp"
#include "tests/faults/stage.hpp"
#include "tests/faults/tables.hpp"
#include "tests/support/process_shared.hpp"

namespace swarmbus::faults {
namespace {

constexpr std::size_t kMostPoints = 2'000'000;
constexpr auto kTrialPatience = 20s;
constexpr auto kCountPatience = 120s;
constexpr auto kBeyondStall = 3 * kStallTimeout;
// A writer's clock is set anew by a system call when a millisecond has passed: then always, as when each
// instruction is stepped.
constexpr timespec kUntilStampsAge{0, 1'200'000};
constexpr std::uint32_t kLaps = 40;  // events of each publisher: several times around every inbox

// Points on their way from the stage to the harness. Untouched pages cost nothing.
struct Recorded {
    std::size_t count = 0;
    Point points[kMostPoints];
};
class Recording {
public:
    Recording() : at_(::mmap(nullptr, sizeof(Recorded), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
        if (at_ == MAP_FAILED) throw std::bad_alloc();
    }
    ~Recording() { ::munmap(at_, sizeof(Recorded)); }
    Recording(const Recording&) = delete;
    Recording& operator=(const Recording&) = delete;
    Recorded& operator*() const noexcept { return *static_cast<Recorded*>(at_); }

private:
    void* at_;
};

struct Plan {
    Action action = Action::none;
    std::size_t number = 0;
    const std::vector<Point>* points = nullptr;
    Recorded* record = nullptr;
    std::chrono::nanoseconds patience{};
};

void conclude(Board& board, Outcome outcome, const std::string& reason = {}) {
    reason.copy(board.reason.data(), board.reason.size() - 1);
    board.outcome = static_cast<std::uint32_t>(outcome);
}

// False if the operation was over before.
bool lead_victim(Stage& stage, const Plan& plan) {
    PointStepper& victim = stage.victim();
    if (plan.action == Action::none) {
        while (victim.next_point()) {
            if (plan.record->count < kMostPoints) plan.record->points[plan.record->count++] = victim.last();
        }
        return true;
    }
    stage.board().passed = victim.to_point(plan.number, *plan.points);
    if (stage.board().passed < plan.number) return false;
    stage.board().drifted = victim.last().code != (*plan.points)[plan.number - 1].code;
    return true;
}

void act(Stage& stage, const Plan& plan) {
    Board& board = stage.board();
    stage.start_victim();
    let_nobody_probe(stage.bus());
    stage.operation().ready(stage);
    ::nanosleep(&kUntilStampsAge, nullptr);
    const bool there = lead_victim(stage, plan);
    let_anybody_probe(stage.bus());
    if (!there) {
        stage.victim().kill();
        return conclude(board, Outcome::ended_before, "after " + std::to_string(board.passed) + " points");
    }
    const auto since = std::chrono::steady_clock::now();
    if (plan.action == Action::kill) stage.victim().kill();
    else if (plan.action == Action::stop) stage.victim().leave_stopped();
    else stage.victim().leave_running();

    if (std::string late = stage.go_on(kLaps, plan.patience); !late.empty()) return conclude(board, Outcome::late, late);
    if (plan.action == Action::stop) {
        const timespec pause{0, std::max<long>((since + kBeyondStall - std::chrono::steady_clock::now()).count(), 0)};
        ::nanosleep(&pause, nullptr);
        stage.victim().process().resume();
    }
    const bool lives = plan.action != Action::kill;
    if (lives && stage.operation().victim_reads()) stage.start_running(kVictimReader);
    if (std::string late = stage.go_on(4, plan.patience); !late.empty()) return conclude(board, Outcome::late, "second round: " + late);

    std::string fault = stage.resume_the_stalled();
    if (fault.empty() && lives) fault = stage.end_victim();
    if (fault.empty()) fault = what_is_left_by_the_dead(stage);
    if (fault.empty()) fault = stage.end_survivors();
    if (fault.empty()) fault = wrong_in_the_books(board, stage.operation(), lives);
    if (fault.empty()) fault = what_is_left_at_the_end(stage);
    conclude(board, fault.empty() ? Outcome::good : Outcome::failed, fault);
}

TrialResult run(Operation& operation, const Plan& plan) {
    const test::Shared<Board> board;
    test::Process stage([&] {
        try {
            enter_own_shm();
            Stage set(*board, operation);
            operation.arrange(set);
            act(set, plan);
        } catch (const std::exception& e) {
            conclude(*board, Outcome::failed, std::string("the trial itself: ") + e.what());
        }
    });
    if (!stage.wait(plan.action == Action::none ? kCountPatience : kTrialPatience)) {
        stage.kill();
        // Where there is no /dev/shm of its own, its buses are there still.
        for (const char* suffix : {"", kOtherBus, kThirdBus}) swb_remove((board->bus.data() + std::string(suffix)).c_str(), 1);
    }
    TrialResult result{static_cast<Outcome>(board->outcome.load()), board->reason.data(), board->drifted};
    if (result.outcome == Outcome::unfinished) result.reason = "the trial did not come to its end";
    return result;
}

}  // namespace

const char* name_of(Action action) noexcept { return action == Action::kill ? "kill" : action == Action::stop ? "stop" : "none"; }

Counted count_points(Operation& operation) {
    const Recording recording;
    Plan plan;
    plan.record = &*recording;
    plan.patience = 5s;
    Counted counted{run(operation, plan), {}};
    counted.points.assign((*recording).points, (*recording).points + (*recording).count);
    return counted;
}

TrialResult try_point(Operation& operation, const std::vector<Point>& points, std::size_t number, Action action,
                      std::chrono::nanoseconds patience) {
    return run(operation, {action, number, &points, nullptr, patience});
}

}  // namespace swarmbus::faults
