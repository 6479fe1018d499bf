// The books of publishers that may be killed at any moment, kept outside the bus: before each
// publish what is attempted, after it what came of it. Whoever is left can compare them with what
// readers received.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process_numbered.hpp"
#include "tests/support/process_shared.hpp"

namespace swarmbus::test {

// One publisher's. `attempted` is `returned` or one more.
struct PublisherBooks {
    std::atomic<std::uint64_t> attempted{0};
    std::atomic<std::uint64_t> returned{0};
    // Publishes that did not say of each reader either "delivered" or "dropped".
    std::atomic<std::uint64_t> silent{0};
};

template <std::size_t Most>
using Ledger = Shared<std::array<PublisherBooks, Most>>;

// Publishes the next number and writes it down.
inline Delivery publish_next(Publisher& publisher, PublisherBooks& books, std::uint32_t id, std::uint32_t readers) {
    const std::uint64_t number = books.attempted + 1;
    books.attempted = number;
    const NumberedPayload payload({id, number});
    Message message;
    message.payload = payload.bytes();
    const Delivery delivery = publisher.publish(message);
    if (delivery.delivered + delivery.dropped != readers) ++books.silent;
    books.returned = number;
    return delivery;
}

// What is wrong between the books and what one reader has; empty if nothing. An event that its
// publisher did not come back from may or may not have arrived, but never twice (the tally sees
// that). All events that may arrive have arrived.
template <typename Books>
std::string compare(const Books& ledger, const Tally& tally) {
    if (!tally.fault().empty()) return tally.fault();
    std::uint64_t attempted = 0, returned = 0;
    for (std::uint32_t id = 0; id < ledger.size(); ++id) {
        attempted += ledger[id].attempted;
        returned += ledger[id].returned;
        if (ledger[id].silent > 0) return "publisher " + std::to_string(id) + " was not told what became of an event";
        if (tally.last_of(id) > ledger[id].attempted)
            return "publisher " + std::to_string(id) + " never sent " + std::to_string(tally.last_of(id));
    }
    const std::uint64_t known = tally.received() + tally.told();
    if (known >= returned && known <= attempted) return {};
    return "received " + std::to_string(tally.received()) + " + told lost " + std::to_string(tally.told()) + " is not from " +
           std::to_string(returned) + " (returned) to " + std::to_string(attempted) + " (attempted)";
}

}  // namespace swarmbus::test
