// Looking after the dead: by who attaches, wakes from an idle second, meets a full inbox of a dead reader.
#include "tests/faults/operation.hpp"
#include "tests/faults/stage.hpp"
#include "tests/faults/tables.hpp"

namespace swarmbus::faults {
namespace {

class Reap : public Operation {
public:
    Reap(std::string name, Overflow policy_of_the_dead) : Operation(std::move(name)), policy_(policy_of_the_dead) {}
    void ready(Stage& stage) override { stage.leave_a_dead_participant(policy_); }
    void leave() override { bus_.reset(); }

protected:
    void open(Victim& victim) { bus_.emplace(victim.bus, options_of(Overflow::drop_oldest)); }
    std::optional<Bus> bus_;

private:
    const Overflow policy_;
};

class ReapByAttaching final : public Reap {
public:
    using Reap::Reap;
    bool every_point() const noexcept override { return false; }  // the others reap in the same way
    void prepare(Victim&) override {}
    void run(Victim& victim) override { open(victim); }
};

class ReapFromIdleLook final : public Reap {
public:
    using Reap::Reap;
    void prepare(Victim& victim) override {
        open(victim);
        bus_->subscribe("nothing");
    }
    void ready(Stage& stage) override {
        Reap::ready(stage);
        let_anybody_probe(stage.bus());
    }
    // One look around, as after an idle second: a call that waits makes another while it is stepped.
    void run(Victim&) override { static_cast<void>(bus_->next(0ns)); }
};

class ReapFromFullInbox final : public Reap {
public:
    using Reap::Reap;
    void prepare(Victim& victim) override {
        open(victim);
        run(victim);
    }
    void run(Victim& victim) override {
        victim.books.publish(kVictimOnly, 2s, [&](const Message& message) { return bus_->publish("victim", message); });
    }
};

}  // namespace

void add_reap_operations(Operations& all) {
    all.push_back(std::make_unique<ReapByAttaching>("reap_by_attaching", Overflow::drop_oldest));
    all.push_back(std::make_unique<ReapFromIdleLook>("reap_from_idle_look", Overflow::drop_oldest));
    all.push_back(std::make_unique<ReapFromFullInbox>("reap_from_full_inbox_of_dead", Overflow::block));
}

}  // namespace swarmbus::faults
