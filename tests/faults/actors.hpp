// Publishers and readers of a trial: what they do on the bus, and their books.
#pragma once

#include <signal.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/faults/board.hpp"
#include "tests/faults/event_types.hpp"
#include "tests/support/process_numbered.hpp"

namespace swarmbus::faults {

using namespace std::chrono_literals;

constexpr std::uint32_t kCapacity = 16;
constexpr auto kStallTimeout = 2ms;
constexpr auto kBlockTimeout = 3ms;  // of survivors: they must go on within 100 ms
// What is added to the bus's name for those that an operation, or who comes after it, creates.
constexpr const char* kOtherBus = "-other";
constexpr const char* kThirdBus = "-third";
constexpr std::uint32_t kMaxTypes = 12;
constexpr std::size_t kLargeBytes = 1024;  // more than a slot, and few enough accesses to try each
constexpr int kStopReceiving = SIGUSR1;    // ends a call that waits, behind a new order

// Of every handle of a trial. The limits count for who creates the bus.
Options options_of(Overflow overflow);
Overflow policy_of(std::uint32_t reader);

// One publish of the next number, written down before and after.
class Books {
public:
    Books(Board& board, std::uint32_t publisher) : page_(board.publishers[publisher]), publisher_(publisher) {}

    template <typename Publish>
    void publish(Type type, std::optional<std::chrono::nanoseconds> block_timeout, Publish&& by, std::size_t bytes = 0) {
        const std::uint64_t number = begin(type);
        const test::NumberedPayload payload({publisher_, number}, bytes);
        Message message;
        message.payload = payload.bytes();
        message.block_timeout = block_timeout;
        end(type, by(message));
    }

private:
    std::uint64_t begin(Type type) noexcept;
    void end(Type type, const Delivery& delivery) noexcept;

    PublisherPage& page_;
    const std::uint32_t publisher_;
};

// One reader's inbox and page.
class Reader {
public:
    Reader(Board& board, std::uint32_t id, Bus bus) : page_(board.readers[id]), bus_(std::move(bus)) {}
    void write_down(const Event& event) noexcept;
    // Exactly so many events, the last of them held.
    void take(std::uint32_t count);
    // All that is there.
    void drain();
    // Receives until there is a new order.
    void run(const Orders& orders);
    // From now on run() waits on the descriptor.
    void use_descriptor();
    Bus& bus() noexcept { return bus_; }

private:
    void blame(const std::string& what) noexcept;
    ReaderPage& page_;
    Bus bus_;
    int descriptor_ = -1;
};

// Runs orders until it is told to quit. Those alongside are drained with every order but `run`.
void serve_as_reader(Reader& reader, Orders& orders, const std::vector<Reader*>& alongside = {});

// Bodies of the survivors' processes. The first publisher creates the bus.
void surviving_publisher(Board& board, std::uint32_t id, const std::string& bus);
struct ReaderTraits {
    bool with_extra_inboxes = false, with_descriptor = false;
};
void surviving_reader(Board& board, std::uint32_t id, const std::string& bus, const ReaderTraits& traits);

}  // namespace swarmbus::faults
