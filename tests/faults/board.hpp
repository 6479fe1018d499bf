// What all processes of a trial share beside the bus: orders, and books that outlive whoever is killed.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include <swarmbus.h>

namespace swarmbus::faults {

// Publishers, by their pages in the books and the number their events carry.
enum PublisherId : std::uint32_t { kPublisher0, kPublisher1, kVictimPublisher, kHelperPublisher, kPublishers };

// Readers: two survivors of each policy, the victim, and inboxes that only widen a fan-out.
enum ReaderId : std::uint32_t {
    kOldest0,
    kOldest1,
    kNewest0,
    kNewest1,
    kBlock0,
    kBlock1,
    kSurvivingReaders,
    kVictimReader = kSurvivingReaders,
    kExtraReaders,
    kReaders = kExtraReaders + 12
};

// What an actor is to do.
enum class Order : std::uint32_t {
    publish,  // `count` events of `type`, waiting for room up to `timeout_ns`
    enter,    // makes `count` types known that nobody subscribes to
    take,     // `count` events in one call, and holds them
    release,
    drain,  // takes all that is there and gives it back
    run,    // receives until the next order
    quit,
};

struct Task {
    Order order{};
    std::uint32_t type = 0, count = 0;
    std::int64_t timeout_ns = 0;
    std::size_t bytes = 0;  // of each event; 0: as it comes
};

// One actor's orders: `asked` and `done` count them and are futexes.
struct Orders {
    std::atomic<std::uint32_t> asked{0}, done{0};
    Task task;
};

// One publisher's books, for each reader an event was for.
struct PublisherPage {
    std::array<std::atomic<std::uint64_t>, kReaders> attempted{}, returned{};
    std::atomic<std::uint64_t> events{0}, events_returned{0};
    std::atomic<std::uint64_t> delivered{0};
    std::atomic<std::uint64_t> silent{0};  // publishes that did not say of each reader what became of the event
};

struct ReaderPage {
    std::array<std::atomic<std::uint64_t>, kPublishers> last{}, received{};
    std::array<std::atomic<std::uint64_t>, SWB_LOSS_CAUSES> told{};
    std::atomic<std::uint64_t> known{0};  // received and told, in all
    std::array<char, 160> fault{};        // the first thing that was wrong
};

struct Board {
    std::array<PublisherPage, kPublishers> publishers;
    std::array<ReaderPage, kReaders> readers;
    // Of survivors by their ids; the victim has orders, too, when its operation is over.
    std::array<Orders, kPublishers> publisher_orders;
    std::array<Orders, kSurvivingReaders + 1> reader_orders;
    // What came of the trial.
    std::atomic<std::uint32_t> outcome{0};
    std::array<char, 512> reason{};
    std::array<char, 96> bus{};  // its name, for who has to remove it in the stage's place
    std::uint64_t passed = 0;    // points
    bool drifted = false;        // not the instruction that was there when points were counted
};

}  // namespace swarmbus::faults
