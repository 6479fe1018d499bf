// Receiving: one event, a batch, giving back, waiting, passing what a publisher left unfinished.
#include <functional>

#include "tests/faults/operation.hpp"
#include "tests/faults/stage.hpp"

namespace swarmbus::faults {
namespace {

// The victim is a subscriber that has received one event.
class Receiving : public Operation {
public:
    using Step = std::function<void(Stage&)>;
    Receiving(std::string name, Overflow policy, Step ready, Step wake = nullptr)
        : Operation(std::move(name)), policy_(policy), ready_(std::move(ready)), wake_(std::move(wake)) {}
    bool victim_reads() const noexcept override { return true; }
    void prepare(Victim& victim) override {
        reader_.emplace(victim.board, kVictimReader, Bus(victim.bus, options_of(policy_)));
        Bus& bus = reader_->bus();
        bus.subscribe(patterns_of(kVictimReader));
        events_[0].size = sizeof(swb_event);
        victim.books.publish(kVictimOnly, 0ns, [&](const Message& message) { return bus.publish("victim", message); });
        receive(1, 0);
        after(victim);
        bus.release();
    }
    void ready(Stage& stage) override { ready_(stage); }
    void wake(Stage& stage) override {
        if (wake_) wake_(stage);
    }
    void after(Victim&) override {
        for (std::size_t i = 0; i < count_; ++i) reader_->write_down(Event(events_[i]));
        count_ = 0;
    }
    Reader* reader() override { return &*reader_; }
    void leave() override { reader_.reset(); }

protected:
    void receive(std::size_t most, std::int64_t timeout_ns) {
        const swb_result result = swb_next_batch(reader_->bus().raw(), timeout_ns, events_.data(), most, &count_);
        if (result == SWB_LOST) count_ = 1;
        if (result < 0) throw Error(result, swb_last_error());
    }
    std::optional<Reader> reader_;

private:
    const Overflow policy_;
    const Step ready_, wake_;
    std::array<swb_event, kCapacity / 2> events_{};
    std::size_t count_ = 0;
};

class Receive : public Receiving {
public:
    Receive(std::string name, Overflow policy, std::size_t most, std::int64_t timeout_ns, Step ready, Step wake = nullptr)
        : Receiving(std::move(name), policy, std::move(ready), std::move(wake)), most_(most), timeout_ns_(timeout_ns) {}
    void run(Victim&) override { receive(most_, timeout_ns_); }

private:
    const std::size_t most_;
    const std::int64_t timeout_ns_;
};

// By descriptor: a look that finds nothing, drains it and announces that the reader waits on it.
class Announce final : public Receiving {
public:
    Announce(std::string name, Overflow policy, Step ready) : Receiving(std::move(name), policy, std::move(ready)) {}
    void prepare(Victim& victim) override {
        Receiving::prepare(victim);
        reader_->use_descriptor();
    }
    void run(Victim&) override { receive(1, 0); }
};

class AskForDescriptor final : public Receiving {
public:
    explicit AskForDescriptor(std::string name) : Receiving(std::move(name), Overflow::drop_oldest, [](Stage&) {}) {}
    void run(Victim&) override { reader_->use_descriptor(); }
};

// Events are given back by the next receiving call, or at once.
class Release final : public Receiving {
public:
    Release(std::string name, Overflow policy, Step ready) : Receiving(std::move(name), policy, std::move(ready)) {}
    void prepare(Victim& victim) override {
        Receiving::prepare(victim);
        for (int i = 0; i < 4; ++i) {
            victim.books.publish(kVictimOnly, 0ns, [&](const Message& message) { return reader_->bus().publish("victim", message); });
        }
        receive(4, 0);
        after(victim);
    }
    void run(Victim&) override { reader_->bus().release(); }
};

Receiving::Step events(std::uint32_t count) {
    return [count](Stage& stage) { stage.publish(kPublisher0, kVictimOnly, count); };
}

// Another publisher waits for room in the victim's inbox.
void a_publisher_waits(Stage& stage) {
    stage.publish(kPublisher0, kVictimOnly, kCapacity);
    stage.start_publishing(kPublisher1, kVictimOnly, 1, 30ms);
    const timespec until_it_sleeps{0, 500'000};
    ::nanosleep(&until_it_sleeps, nullptr);
}

void a_publisher_waits_for_held(Stage& stage) {
    stage.publish(kPublisher0, kVictimOnly, kCapacity - 4);
    stage.start_publishing(kPublisher1, kVictimOnly, 1, 30ms);
    const timespec until_it_sleeps{0, 500'000};
    ::nanosleep(&until_it_sleeps, nullptr);
}

void one_is_unfinished(Stage& stage) {
    stage.stall_a_publisher(kVictimOnly);
    stage.publish(kPublisher0, kVictimOnly, 2);
}

void one_is_unfinished_by_the_dead(Stage& stage) {
    stage.stall_a_publisher(kVictimOnly);
    stage.kill_the_stalled();
    stage.publish(kPublisher0, kVictimOnly, 2);
}

}  // namespace

void add_receive_operations(Operations& all) {
    constexpr std::pair<const char*, Overflow> policies[] = {
        {"drop_oldest", Overflow::drop_oldest}, {"drop_newest", Overflow::drop_newest}, {"block", Overflow::block}};
    constexpr std::int64_t kSoon = 1'000'000'000;
    for (const auto& [policy, overflow] : policies) {
        const std::string from = std::string("_from_") + policy;
        all.push_back(std::make_unique<Receive>("receive_one" + from, overflow, 1, 0, events(4)));
        all.push_back(std::make_unique<Receive>("receive_batch" + from, overflow, 8, 0, events(8)));
        all.push_back(std::make_unique<Release>("release" + from, overflow, [](Stage&) {}));
        all.push_back(std::make_unique<Receive>(
            "receive_sleeps_and_wakes" + from, overflow, 1, kSoon, [](Stage&) {}, events(1)));
        all.push_back(std::make_unique<Receive>("receive_passes_stalled" + from, overflow, 1, kSoon, one_is_unfinished));
    }
    const Overflow oldest = Overflow::drop_oldest, block = Overflow::block;
    all.push_back(std::make_unique<Receive>("receive_after_evictions", oldest, 4, 0, events(kCapacity + 4)));
    all.push_back(std::make_unique<Receive>("receive_tells_drops", Overflow::drop_newest, 8, 0, events(kCapacity + 4)));
    all.push_back(std::make_unique<Receive>("receive_passes_unfinished_of_dead", oldest, 1, kSoon, one_is_unfinished_by_the_dead));
    all.push_back(std::make_unique<Receive>("receive_from_full_block", block, 1, 0, a_publisher_waits));
    all.push_back(std::make_unique<AskForDescriptor>("ask_for_descriptor"));
    all.push_back(std::make_unique<Announce>("receive_announces_on_descriptor", oldest, [](Stage&) {}));
    all.push_back(std::make_unique<Announce>("receive_one_by_descriptor", block, events(4)));
    all.push_back(std::make_unique<Announce>("receive_passes_unfinished_of_dead_by_descriptor", oldest, one_is_unfinished_by_the_dead));
    all.push_back(std::make_unique<Release>("release_wakes_publisher", block, a_publisher_waits_for_held));
}

}  // namespace swarmbus::faults
