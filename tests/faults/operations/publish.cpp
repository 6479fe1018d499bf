// Publishing where there is room: to one inbox of each policy, to several, by a type that is in the
// table and by one that is not, to a reader that sleeps.
#include <functional>

#include "tests/faults/operation.hpp"
#include "tests/faults/stage.hpp"

namespace swarmbus::faults {
namespace {

// One publish with a bound publisher, the second of its process.
class Publish : public Operation {
public:
    Publish(std::string name, Type type) : Operation(std::move(name)), type_(type) {}
    bool with_extra_inboxes() const noexcept override { return type_ == kMany; }
    void prepare(Victim& victim) override {
        bus_.emplace(victim.bus, options_of(Overflow::drop_oldest));
        publisher_.emplace(bus_->publisher(kTypeRows[type_].name));
        publish(victim);
    }
    void ready(Stage& stage) override { stage.drain_all(); }
    void run(Victim& victim) override { publish(victim); }
    void leave() override {
        publisher_.reset();
        bus_.reset();
    }

private:
    void publish(Victim& victim) {
        victim.books.publish(type_, std::nullopt, [&](const Message& message) { return publisher_->publish(message); });
    }
    const Type type_;
    std::optional<Bus> bus_;
    std::optional<Publisher> publisher_;
};

// The type is looked up by its name.
class PublishByName final : public Operation {
public:
    PublishByName() : Operation("publish_by_name") {}
    void prepare(Victim& victim) override {
        bus_.emplace(victim.bus, options_of(Overflow::drop_oldest));
        run(victim);
    }
    void ready(Stage& stage) override { stage.drain_all(); }
    void run(Victim& victim) override {
        victim.books.publish(kThree, std::nullopt, [&](const Message& message) { return bus_->publish(kTypeRows[kThree].name, message); });
    }
    void leave() override { bus_.reset(); }

private:
    std::optional<Bus> bus_;
};

// No room for the type in the table: its name travels in the slot.
class PublishInlineType final : public Publish {
public:
    PublishInlineType() : Publish("publish_inline_type", kLate) {}
    void arrange(Stage& stage) override { stage.enter_types(kMaxTypes); }
};

class PublishWakesReader final : public Publish {
public:
    PublishWakesReader() : Publish("publish_wakes_reader", kOneOldest) {}
    void ready(Stage& stage) override {
        stage.drain_all();
        stage.start_running(kOldest0);
        const timespec until_it_sleeps{0, 1'000'000};
        ::nanosleep(&until_it_sleeps, nullptr);
    }
};

// The reader waits on its descriptor.
class PublishRingsDoorbell final : public Publish {
public:
    PublishRingsDoorbell() : Publish("publish_rings_doorbell", kOneOldest) {}
    bool with_descriptor() const noexcept override { return true; }
    void ready(Stage& stage) override {
        stage.drain_all();
        stage.start_running(kOldest0);
        const timespec until_it_waits{0, 1'000'000};
        ::nanosleep(&until_it_waits, nullptr);
    }
};

}  // namespace

void add_publish_operations(Operations& all) {
    all.push_back(std::make_unique<Publish>("publish_to_drop_oldest", kOneOldest));
    all.push_back(std::make_unique<Publish>("publish_to_drop_newest", kOneNewest));
    all.push_back(std::make_unique<Publish>("publish_to_block", kOneBlock));
    all.push_back(std::make_unique<Publish>("publish_to_three", kThree));
    all.push_back(std::make_unique<Publish>("publish_to_eighteen", kMany));
    all.push_back(std::make_unique<PublishByName>());
    all.push_back(std::make_unique<PublishInlineType>());
    all.push_back(std::make_unique<PublishWakesReader>());
    all.push_back(std::make_unique<PublishRingsDoorbell>());
}

}  // namespace swarmbus::faults
