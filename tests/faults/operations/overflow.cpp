// Publishing where there is no room, or where a slot can't be used.
#include "tests/faults/operation.hpp"
#include "tests/faults/stage.hpp"

namespace swarmbus::faults {
namespace {

class PublishWithoutRoom : public Operation {
public:
    PublishWithoutRoom(std::string name, Type type, ReaderId reader, std::chrono::nanoseconds block_timeout)
        : Operation(std::move(name)), type_(type), reader_(reader), block_timeout_(block_timeout) {}
    void prepare(Victim& victim) override {
        bus_.emplace(victim.bus, options_of(Overflow::drop_oldest));
        publisher_.emplace(bus_->publisher(kTypeRows[type_].name));
        run(victim);
    }
    void ready(Stage& stage) override {
        stage.drain_all();
        fill(stage);
    }
    void run(Victim& victim) override {
        victim.books.publish(type_, block_timeout_, [&](const Message& message) { return publisher_->publish(message); });
    }
    void leave() override {
        publisher_.reset();
        bus_.reset();
    }

protected:
    virtual void fill(Stage& stage) { stage.publish(kPublisher0, type_, kCapacity); }
    const Type type_;
    const ReaderId reader_;

private:
    const std::chrono::nanoseconds block_timeout_;
    std::optional<Bus> bus_;
    std::optional<Publisher> publisher_;
};

// Room comes while it sleeps.
class PublishWaits final : public PublishWithoutRoom {
public:
    PublishWaits() : PublishWithoutRoom("publish_waits_for_room", kOneBlock, kBlock0, 500ms) {}
    void wake(Stage& stage) override {
        stage.take(reader_, 4);
        stage.release(reader_);
    }
};

// The slot whose turn it is was set aside: its publisher stalled, and the reader passed it.
class PublishPastSetAside final : public PublishWithoutRoom {
public:
    PublishPastSetAside(std::string name, Type type, ReaderId reader) : PublishWithoutRoom(std::move(name), type, reader, 0ns) {}
    void ready(Stage& stage) override {
        stage.drain_all();
        stage.stall_a_publisher(type_);
        stage.publish(kPublisher0, type_, kCapacity - 1);
        stage.take(reader_, kCapacity - 1);
        stage.release(reader_);
    }
};

// The reader looks at the event in the slot whose turn it is.
class PublishPastHeld final : public PublishWithoutRoom {
public:
    PublishPastHeld() : PublishWithoutRoom("publish_past_held_slot", kOneOldest, kOldest0, 0ns) {}
    void fill(Stage& stage) override {
        stage.publish(kPublisher0, type_, 1);
        stage.take(reader_, 1);
        stage.publish(kPublisher0, type_, kCapacity - 1);
    }
};

// The oldest event was never finished: its publisher died.
class PublishEvictsDead final : public PublishWithoutRoom {
public:
    PublishEvictsDead() : PublishWithoutRoom("publish_evicts_unfinished_of_dead", kOneOldest, kOldest0, 0ns) {}
    void fill(Stage& stage) override {
        stage.stall_a_publisher(type_);
        stage.kill_the_stalled();
        stage.publish(kPublisher0, type_, kCapacity - 1);
    }
};

}  // namespace

void add_overflow_operations(Operations& all) {
    all.push_back(std::make_unique<PublishWithoutRoom>("publish_evicts", kOneOldest, kOldest0, 0ns));
    all.push_back(std::make_unique<PublishWithoutRoom>("publish_dropped_by_drop_newest", kOneNewest, kNewest0, 0ns));
    all.push_back(std::make_unique<PublishWithoutRoom>("publish_dropped_by_block", kOneBlock, kBlock0, 0ns));
    all.push_back(std::make_unique<PublishWaits>());
    all.push_back(std::make_unique<PublishPastSetAside>("publish_past_set_aside_slot", kOneOldest, kOldest0));
    all.push_back(std::make_unique<PublishPastSetAside>("publish_past_set_aside_slot_of_block", kOneBlock, kBlock0));
    all.push_back(std::make_unique<PublishPastHeld>());
    all.push_back(std::make_unique<PublishEvictsDead>());
}

}  // namespace swarmbus::faults
