// One thing a participant does, to be interrupted anywhere in it. The tables of operations are in
// operations/, a file for each group.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/faults/actors.hpp"
#include "tests/faults/board.hpp"

namespace swarmbus::faults {

class Stage;

// What a victim's process knows.
struct Victim {
    Board& board;
    const std::string bus;
    Books books;
};

class Operation {
public:
    explicit Operation(std::string name) : name_(std::move(name)) {}
    virtual ~Operation() = default;
    Operation(const Operation&) = delete;
    Operation& operator=(const Operation&) = delete;

    const std::string& name() const noexcept { return name_; }

    // Every point is tried, or every system call and a spread sample of the others.
    virtual bool every_point() const noexcept { return true; }
    virtual bool with_extra_inboxes() const noexcept { return false; }
    // The victim has an inbox when its operation is over, and serves as a reader from then on.
    virtual bool victim_reads() const noexcept { return false; }
    // The first reader waits on its descriptor.
    virtual bool with_descriptor() const noexcept { return false; }
    // The first publisher has an arena.
    virtual bool with_arena() const noexcept { return false; }
    // Events that went to the victim's inbox and that it needs not have received, since it ended its
    // subscription.
    virtual bool victim_may_miss() const noexcept { return false; }

    // In the order of a trial. Those with a Victim run in its process, the others in the stage's.
    virtual void arrange(Stage&) {}     // before there is a victim
    virtual void prepare(Victim&) = 0;  // up to where it is stepped
    virtual void ready(Stage&) {}       // the victim stands at the start
    virtual void run(Victim&) = 0;      // stepped
    virtual void wake(Stage&) {}        // the victim sleeps within its operation
    virtual void after(Victim&) {}      // a victim that lived through it
    virtual Reader* reader() { return nullptr; }
    // In the process of one who comes when the victim is dead or over. Throws if what it finds is not whole.
    virtual void visit(Bus&) {}
    virtual void leave() = 0;  // it closes its handles

private:
    const std::string name_;
};

using Operations = std::vector<std::unique_ptr<Operation>>;

void add_publish_operations(Operations& all);
void add_overflow_operations(Operations& all);
void add_large_operations(Operations& all);
void add_receive_operations(Operations& all);
void add_control_operations(Operations& all);
void add_reap_operations(Operations& all);
void add_register_operations(Operations& all);

}  // namespace swarmbus::faults
