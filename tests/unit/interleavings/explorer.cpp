#include "tests/unit/interleavings/explorer.hpp"

#include <gtest/gtest.h>

#include <cctype>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_UNPOISON_MEMORY_REGION(at, bytes) static_cast<void>(at)
#endif

namespace swarmbus::test {
namespace {

constexpr std::size_t kStackBytes = 256 * 1024;

Schedule* current_run = nullptr;

// Stacks are used again by later runs: there may be millions.
std::vector<std::unique_ptr<std::byte[]>>& free_stacks() {
    static std::vector<std::unique_ptr<std::byte[]>> stacks;
    return stacks;
}

std::unique_ptr<std::byte[]> take_stack() {
    auto& stacks = free_stacks();
    if (stacks.empty()) return std::make_unique<std::byte[]>(kStackBytes);
    std::unique_ptr<std::byte[]> stack = std::move(stacks.back());
    stacks.pop_back();
    ASAN_UNPOISON_MEMORY_REGION(stack.get(), kStackBytes);  // frames of the dead were never left
    return stack;
}

}  // namespace

std::size_t Choices::choose(std::size_t options) {
    if (at_ == made_.size()) made_.push_back({0, options});
    return made_[at_++].taken;
}

bool Choices::next() {
    while (!made_.empty() && made_.back().taken + 1 == made_.back().options) made_.pop_back();
    if (made_.empty()) return false;
    ++made_.back().taken;
    return true;
}

struct Schedule::Fiber {
    char name;
    std::function<void()> body;
    std::function<void()> on_death;
    std::unique_ptr<std::byte[]> stack = take_stack();
    ucontext_t context{};
    bool finished = false;
};

Schedule::Schedule(Choices& choices, int preemptions) : choices_(choices), preemptions_left_(preemptions) {}

Schedule::~Schedule() {
    for (auto& fiber : fibers_) free_stacks().push_back(std::move(fiber->stack));
}

void Schedule::thread(char name, std::function<void()> body) { add(name, std::move(body), {}); }
void Schedule::mortal(char name, std::function<void()> body, std::function<void()> on_death) {
    add(name, std::move(body), std::move(on_death));
}

void Schedule::add(char name, std::function<void()> body, std::function<void()> on_death) {
    fibers_.push_back(std::make_unique<Fiber>(Fiber{name, std::move(body), std::move(on_death)}));
    Fiber& fiber = *fibers_.back();
    ::getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = kStackBytes;
    fiber.context.uc_link = &scheduler_;
    ::makecontext(&fiber.context, enter, 0);
}

void Schedule::enter() noexcept {
    Fiber& self = *current_run->running_;
    self.body();
    current_run->end(self);
}

void Schedule::go() {
    current_run = this;
    unfinished_ = fibers_.size();
    choose_among_unfinished();
    while (running_ != nullptr) ::swapcontext(&scheduler_, &running_->context);
    current_run = nullptr;
}

// The i-th that has not ended, `but` not counted.
Schedule::Fiber* Schedule::unfinished(std::size_t i, const Fiber* but) const noexcept {
    for (const auto& fiber : fibers_) {
        if (!fiber->finished && fiber.get() != but && i-- == 0) return fiber.get();
    }
    return nullptr;
}

// When a thread ends another goes on without a preemption.
void Schedule::choose_among_unfinished() { running_ = unfinished_ == 0 ? nullptr : unfinished(choices_.choose(unfinished_), nullptr); }

void Schedule::end(Fiber& fiber) {
    fiber.finished = true;
    --unfinished_;
    choose_among_unfinished();
}

void Schedule::at_step() {
    Fiber& self = *running_;
    const bool may_die = self.on_death && death_left_;
    const std::size_t others = preemptions_left_ > 0 ? unfinished_ - 1 : 0;
    const std::size_t choice = choices_.choose(1 + others + (may_die ? 1 : 0));
    if (choice == 0) {
        trace_ += self.name;
        return;
    }
    if (choice <= others) {
        --preemptions_left_;
        running_ = unfinished(choice - 1, &self);
        ::swapcontext(&self.context, &scheduler_);
        trace_ += self.name;
        return;
    }
    trace_ += static_cast<char>(std::tolower(self.name));
    death_left_ = false;
    self.on_death();
    end(self);
    ::swapcontext(&self.context, &scheduler_);  // never comes back
}

void step() noexcept {
    if (current_run != nullptr) current_run->at_step();
}

std::size_t explore(int preemptions, const std::function<void(Schedule&)>& scenario) {
    Choices choices;
    std::size_t runs = 0;
    do {
        choices.rewind();
        Schedule run(choices, preemptions);
        scenario(run);
        ++runs;
        if (testing::Test::HasFailure()) {
            ADD_FAILURE() << "in run " << runs << ", steps " << run.trace();
            break;
        }
    } while (choices.next());
    return runs;
}

}  // namespace swarmbus::test
