// What runs under the control lock: coming and going, subscriptions, new types.
#include <functional>

#include "tests/faults/operation.hpp"
#include "tests/faults/stage.hpp"

namespace swarmbus::faults {
namespace {

// The victim's handles, and what it does with them. Each is built from what came before.
class Control : public Operation {
public:
    struct Has {
        std::optional<Bus> bus, separate;
        std::optional<Publisher> publisher;
        SubscriptionId subscription = 0;
    };
    using Does = std::function<void(Has&, Victim&)>;
    // Whether it reads in the end, and through which handle.
    enum class Reads { nothing, bus, separate };
    struct Row {
        const char* name;
        Reads reads;
        Does before, does;
        bool may_miss = false;
    };

    explicit Control(Row row) : Operation(row.name), row_(std::move(row)) {}
    bool every_point() const noexcept override { return false; }
    bool victim_reads() const noexcept override { return row_.reads != Reads::nothing; }
    bool victim_may_miss() const noexcept override { return row_.may_miss; }
    void prepare(Victim& victim) override {
        if (row_.before) row_.before(has_, victim);
    }
    void ready(Stage& stage) override { stage.drain_all(); }
    void run(Victim& victim) override { row_.does(has_, victim); }
    void after(Victim& victim) override {
        if (row_.reads == Reads::bus) reader_.emplace(victim.board, kVictimReader, std::move(*has_.bus));
        if (row_.reads == Reads::separate) reader_.emplace(victim.board, kVictimReader, std::move(*has_.separate));
    }
    Reader* reader() override { return reader_ ? &*reader_ : nullptr; }
    void leave() override {
        reader_.reset();
        has_ = {};
    }

private:
    const Row row_;
    Has has_;
    std::optional<Reader> reader_;
};

void open(Control::Has& has, Victim& victim) { has.bus.emplace(victim.bus, options_of(Overflow::drop_oldest)); }

void open_and_subscribe(Control::Has& has, Victim& victim) {
    open(has, victim);
    has.subscription = has.bus->subscribe("load.* victim");
}

void open_and_publish(Control::Has& has, Victim& victim) {
    open(has, victim);
    victim.books.publish(kTick, 0ns, [&](const Message& message) { return has.bus->publish("load.tick", message); });
}

void open_and_subscribe_with_descriptor(Control::Has& has, Victim& victim) {
    open_and_subscribe(has, victim);
    int descriptor = -1;
    test::require(swb_descriptor(has.bus->raw(), &descriptor) == SWB_OK, swb_last_error());
}

void close(Control::Has& has, Victim&) { has.bus.reset(); }

}  // namespace

void add_control_operations(Operations& all) {
    using Has = Control::Has;
    using Reads = Control::Reads;
    const Control::Row rows[] = {
        {"subscribe", Reads::bus, open, [](Has& has, Victim&) { has.bus->subscribe("load.* victim"); }},
        {"subscribe_to_more", Reads::bus, open_and_subscribe, [](Has& has, Victim&) { has.bus->subscribe("one.* three"); }},
        {"unsubscribe", Reads::bus,
         [](Has& has, Victim& victim) {
             open_and_subscribe(has, victim);
             has.bus->subscribe("unheard");
         },
         [](Has& has, Victim&) { has.bus->unsubscribe(has.subscription); }, true},
        {"separate_and_subscribe", Reads::separate, open,
         [](Has& has, Victim&) {
             has.separate.emplace(has.bus->separate(options_of(Overflow::block)));
             has.separate->subscribe("load.*");
         }},
        {"open", Reads::nothing, nullptr, open},
        {"create", Reads::nothing, nullptr,
         [](Has& has, Victim& victim) { has.bus.emplace(victim.bus + kOtherBus, options_of(Overflow::drop_oldest)); }},
        {"close_last_handle", Reads::nothing, open, close},
        {"close_writer", Reads::nothing, open_and_publish, close},
        {"close_reader", Reads::nothing, open_and_subscribe, close},
        {"close_reader_with_descriptor", Reads::nothing, open_and_subscribe_with_descriptor, close},
        {"publish_new_type", Reads::nothing, open_and_publish,
         [](Has& has, Victim& victim) {
             victim.books.publish(kFresh, 0ns, [&](const Message& message) { return has.bus->publish("load.fresh", message); });
         }},
    };
    for (const Control::Row& row : rows) all.push_back(std::make_unique<Control>(row));
}

}  // namespace swarmbus::faults
