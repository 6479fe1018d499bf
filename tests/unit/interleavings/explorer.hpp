// Runs a few threads of a scenario in every order that takes at most so many preemptions.
//
// The threads are fibers of one real thread; they change over only at step(), which the words in
// shadow/ call before each access. A run follows a list of choices; the next run changes the last
// choice that has an alternative left. Memory is sequentially consistent here: what fences are for
// is shown by the litmus tests and models.
#pragma once

#include <ucontext.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace swarmbus::test {

// The decisions of one run, in order.
class Choices {
public:
    // 0 to options - 1; 0 when this decision is new.
    std::size_t choose(std::size_t options);
    // Goes on to the next run. False: there is none.
    bool next();
    void rewind() noexcept { at_ = 0; }

private:
    struct Choice {
        std::size_t taken, options;
    };
    std::vector<Choice> made_;
    std::size_t at_ = 0;
};

class Schedule {
public:
    Schedule(Choices& choices, int preemptions);
    ~Schedule();
    Schedule(const Schedule&) = delete;
    Schedule& operator=(const Schedule&) = delete;

    // Adds a thread. A mortal one may be killed at any of its steps; on_death is called then. What
    // its body has on its stack is lost, so nothing there may need a destructor.
    void thread(char name, std::function<void()> body);
    void mortal(char name, std::function<void()> body, std::function<void()> on_death);
    // Runs all of them to their ends.
    void go();

    // Who took each step: "AAABBA", a small letter where it died.
    const std::string& trace() const noexcept { return trace_; }

private:
    friend void step() noexcept;
    struct Fiber;
    void add(char name, std::function<void()> body, std::function<void()> on_death);
    void at_step();
    Fiber* unfinished(std::size_t i, const Fiber* but) const noexcept;
    void choose_among_unfinished();
    void end(Fiber& fiber);
    static void enter() noexcept;

    Choices& choices_;
    int preemptions_left_;
    bool death_left_ = true;  // one death a run
    std::vector<std::unique_ptr<Fiber>> fibers_;
    std::size_t unfinished_ = 0;
    Fiber* running_ = nullptr;
    ucontext_t scheduler_{};
    std::string trace_;
};

// A place where another thread may go on. Does nothing outside go().
void step() noexcept;

// scenario(run) adds threads, calls go() and checks. Returns the number of runs; stops at the first
// that fails, and shows its trace.
std::size_t explore(int preemptions, const std::function<void(Schedule&)>& scenario);

}  // namespace swarmbus::test
