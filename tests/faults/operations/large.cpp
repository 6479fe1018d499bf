// Large events: publishing them from an arena that is new, known or full, loaned or copied; receiving them,
// and leaving while they are unread.
#include <cstring>

#include "tests/faults/operation.hpp"
#include "tests/faults/stage.hpp"

namespace swarmbus::faults {
namespace {

constexpr std::uint64_t kSmallArena = 4 * 4096;   // room for four
constexpr std::uint32_t kEventsOfSmallArena = 2;  // that one inbox may pin: with a third, less would be free
constexpr std::uint64_t kUsualArena = 64 * 4096;

class PublishLarge : public Operation {
public:
    struct Row {
        const char* name;
        Type type;
        std::uint64_t arena_bytes;
        std::uint32_t before;  // events that the victim has published when it is stepped
        bool read;             // those have been received by then
        bool loan = false;
    };
    explicit PublishLarge(const Row& row) : Operation(row.name), row_(row) {}
    void prepare(Victim& victim) override {
        Options options = options_of(Overflow::drop_oldest);
        options.arena_bytes = row_.arena_bytes;
        bus_.emplace(victim.bus, options);
        publisher_.emplace(bus_->publisher(kTypeRows[row_.type].name));
        victim.books.publish(row_.type, 0ns, [&](const Message& message) { return publisher_->publish(message); });
        for (std::uint32_t i = 0; i < row_.before; ++i) run(victim);
    }
    void ready(Stage& stage) override {
        if (row_.read) stage.drain_all();
    }
    void run(Victim& victim) override {
        victim.books.publish(
            row_.type, 0ns,
            [&](const Message& message) {
                if (!row_.loan) return publisher_->publish(message);
                Loan loan = bus_->loan(message.payload.size());
                std::memcpy(loan.memory().data(), message.payload.data(), message.payload.size());
                return publisher_->publish(std::move(loan), message.payload.size(), message);
            },
            kLargeBytes);
    }
    void leave() override {
        publisher_.reset();
        bus_.reset();
    }

private:
    const Row row_;
    std::optional<Bus> bus_;
    std::optional<Publisher> publisher_;
};

// Large events wait for the victim: of another participant, or of its own process, whose arena it knows.
class ReceiveLarge final : public Operation {
public:
    ReceiveLarge(std::string name, Overflow policy, bool foreign) : Operation(std::move(name)), policy_(policy), foreign_(foreign) {}
    bool victim_reads() const noexcept override { return true; }
    bool with_arena() const noexcept override { return foreign_; }
    void prepare(Victim& victim) override {
        reader_.emplace(victim.board, kVictimReader, Bus(victim.bus, options_of(policy_)));
        reader_->bus().subscribe(patterns_of(kVictimReader));
        if (foreign_) return;
        Bus publishes(victim.bus, options_of(Overflow::drop_oldest));
        for (int i = 0; i < 3; ++i) {
            victim.books.publish(
                kVictimOnly, 0ns, [&](const Message& message) { return publishes.publish("victim", message); }, kLargeBytes);
            if (i == 0) reader_->drain();
        }
    }
    void ready(Stage& stage) override {
        stage.drain_all();
        if (foreign_) stage.publish(kPublisher0, kVictimOnly, 2, kLargeBytes);
    }
    void run(Victim&) override {
        event_ = reader_->bus().next(0ns);
        test::require(event_.has_value(), "there is no event");
    }
    void after(Victim&) override { reader_->write_down(*event_); }
    Reader* reader() override { return &*reader_; }
    void leave() override { reader_.reset(); }

private:
    const Overflow policy_;
    const bool foreign_;
    std::optional<Reader> reader_;
    std::optional<Event> event_;
};

// A process that has published large events leaves; nobody has received them, or everybody.
class LeaveWithArena final : public Operation {
public:
    LeaveWithArena(std::string name, bool read) : Operation(std::move(name)), read_(read) {}
    bool every_point() const noexcept override { return false; }
    void prepare(Victim& victim) override {
        bus_.emplace(victim.bus, options_of(Overflow::drop_oldest));
        for (int i = 0; i < 2; ++i) {
            victim.books.publish(
                kThree, 0ns, [&](const Message& message) { return bus_->publish("three", message); }, kLargeBytes);
        }
    }
    void ready(Stage& stage) override {
        if (read_) stage.drain_all();
    }
    void run(Victim&) override { bus_.reset(); }
    void leave() override { bus_.reset(); }

private:
    const bool read_;
    std::optional<Bus> bus_;
};

}  // namespace

void add_large_operations(Operations& all) {
    const PublishLarge::Row rows[] = {
        {"publish_large_makes_arena", kThree, kUsualArena, 0, true},
        {"publish_large_to_three", kThree, kUsualArena, 1, true},
        {"publish_large_to_block", kOneBlock, kUsualArena, 1, true},
        {"publish_large_loaned", kThree, kUsualArena, 1, true, true},
        {"publish_large_takes_chunk_back", kOneNewest, kSmallArena, kEventsOfSmallArena, true},
        {"publish_large_evicts_for_room_in_arena", kOneOldest, kSmallArena, kEventsOfSmallArena, false},
        {"publish_large_dropped_for_room_in_arena", kOneNewest, kSmallArena, kEventsOfSmallArena, false},
    };
    for (const PublishLarge::Row& row : rows) all.push_back(std::make_unique<PublishLarge>(row));
    all.push_back(std::make_unique<ReceiveLarge>("receive_large_of_another_process", Overflow::drop_oldest, true));
    all.push_back(std::make_unique<ReceiveLarge>("receive_large_from_drop_oldest", Overflow::drop_oldest, false));
    all.push_back(std::make_unique<ReceiveLarge>("receive_large_from_block", Overflow::block, false));
    all.push_back(std::make_unique<LeaveWithArena>("close_with_unread_large", false));
    all.push_back(std::make_unique<LeaveWithArena>("close_with_read_large", true));
}

}  // namespace swarmbus::faults
