#include "tests/faults/actors.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "tests/faults/orders.hpp"
#include "tests/support/process.hpp"

namespace swarmbus::faults {
namespace {

swb_bus* receiving = nullptr;  // what kStopReceiving stops
void stop_receiving(int) {
    if (receiving != nullptr) swb_stop(receiving);
}

}  // namespace

Options options_of(Overflow overflow) {
    Options options;
    options.overflow = overflow;
    options.capacity_slots = kCapacity;
    options.stall_timeout = kStallTimeout;
    options.spin = 1ns;  // one round of looks: how many there are must not depend on how fast they are stepped
    options.block_timeout = kBlockTimeout;
    options.max_participants = 32;
    options.max_subscribers = 64;
    options.max_types = kMaxTypes;
    options.default_capacity = kCapacity;
    options.ring_bytes = 4 << 20;
    return options;
}

Overflow policy_of(std::uint32_t reader) {
    constexpr std::array policies = {Overflow::drop_oldest, Overflow::drop_newest, Overflow::block};
    return reader < kSurvivingReaders ? policies[reader / 2] : Overflow::drop_oldest;
}

std::uint64_t Books::begin(Type type) noexcept {
    for (std::uint32_t reader = 0; reader < kReaders; ++reader) {
        if ((kTypeRows[type].readers & reader_bit(reader)) != 0) ++page_.attempted[reader];
    }
    return ++page_.events;
}

void Books::end(Type type, const Delivery& delivery) noexcept {
    const std::uint32_t readers = kTypeRows[type].readers;
    const auto sure = static_cast<std::uint32_t>(std::popcount(readers));
    for (std::uint32_t reader = 0; reader < kReaders; ++reader) {
        if ((readers & reader_bit(reader)) != 0) ++page_.returned[reader];
    }
    // One more than surely get it: the victim's inbox.
    const std::uint32_t told = delivery.delivered + delivery.dropped;
    if (told == sure + 1) {
        ++page_.attempted[kVictimReader];
        ++page_.returned[kVictimReader];
    } else if (told != sure) {
        ++page_.silent;
    }
    page_.delivered += delivery.delivered;
    ++page_.events_returned;
}

void Reader::blame(const std::string& what) noexcept {
    if (page_.fault[0] == '\0') what.copy(page_.fault.data(), page_.fault.size() - 1);
}

void Reader::write_down(const Event& event) noexcept {
    for (std::size_t cause = 0; cause < SWB_LOSS_CAUSES; ++cause) page_.told[cause] += event.lost(static_cast<LossCause>(cause));
    if (event) {
        const auto numbered = test::NumberedPayload::read(event.payload());
        if (!numbered || numbered->publisher >= kPublishers) {
            blame("an event is torn");
        } else {
            auto& last = page_.last[numbered->publisher];
            if (numbered->number <= last) {
                blame("publisher " + std::to_string(numbered->publisher) + ": " + std::to_string(numbered->number) + " came after " +
                      std::to_string(last));
            }
            last = numbered->number;
            ++page_.received[numbered->publisher];
        }
    }
    page_.known += event.lost() + (event ? 1 : 0);
}

void Reader::take(std::uint32_t count) {
    const auto deadline = std::chrono::steady_clock::now() + 2s;
    for (std::uint32_t taken = 0; taken < count;) {
        test::require(std::chrono::steady_clock::now() < deadline, "there is less to take than there should be");
        for (const Event& event : bus_.next_batch(count - taken, 100ms)) {
            write_down(event);
            if (event) ++taken;
        }
    }
}

// By the C call, which tells a stop, sent with an order that is known already, from an empty inbox.
void Reader::drain() {
    std::array<swb_event, kCapacity> events{};
    events[0].size = sizeof(swb_event);
    for (;;) {
        std::size_t count = 0;
        const swb_result result = swb_next_batch(bus_.raw(), 0, events.data(), events.size(), &count);
        test::require(result >= 0, "receiving failed");
        if (result == SWB_TIMED_OUT) break;
        if (result == SWB_LOST) count = 1;
        for (std::size_t i = 0; i < count; ++i) write_down(Event(events[i]));
    }
    bus_.release();
}

void Reader::use_descriptor() { test::require(swb_descriptor(bus_.raw(), &descriptor_) == SWB_OK, swb_last_error()); }

void Reader::run(const Orders& orders) {
    while (!order_waits(orders)) {
        if (descriptor_ < 0) {
            for (const Event& event : bus_.next_batch(kCapacity / 2, 10s)) write_down(event);
        } else {
            pollfd readable{descriptor_, POLLIN, 0};
            if (::poll(&readable, 1, 10'000) > 0) {
                for (const Event& event : bus_.next_batch(kCapacity / 2, 0s)) write_down(event);
            }
        }
    }
    bus_.release();
}

void serve_as_reader(Reader& reader, Orders& orders, const std::vector<Reader*>& alongside) {
    receiving = reader.bus().raw();
    struct sigaction action {};
    action.sa_handler = stop_receiving;
    ::sigaction(kStopReceiving, &action, nullptr);
    for (bool quit = false; !quit;) {
        const Task task = next_order(orders);
        switch (task.order) {
        case Order::take: reader.take(task.count); break;
        case Order::release: reader.bus().release(); break;
        case Order::drain: reader.drain(); break;
        case Order::quit: quit = true; break;
        case Order::run:
            tell_done(orders);
            reader.run(orders);
            continue;
        default: throw std::logic_error("not a reader's order");
        }
        for (Reader* other : alongside) other->drain();
        tell_done(orders);
    }
    receiving = nullptr;
}

void surviving_publisher(Board& board, std::uint32_t id, const std::string& name) {
    Orders& orders = board.publisher_orders[id];
    Bus bus(name, options_of(Overflow::drop_oldest));
    Books books(board, id);
    for (bool quit = false; !quit; tell_done(orders)) {
        const Task& task = next_order(orders);
        const auto type = static_cast<Type>(task.type);
        for (std::uint32_t i = 0; task.order == Order::publish && i < task.count; ++i) {
            const auto timeout = task.timeout_ns != 0 ? std::optional(std::chrono::nanoseconds(task.timeout_ns)) : std::nullopt;
            books.publish(
                type, timeout, [&](const Message& message) { return bus.publish(kTypeRows[type].name, message); }, task.bytes);
        }
        for (std::uint32_t i = 0; task.order == Order::enter && i < task.count; ++i) bus.publish("filler." + std::to_string(i), "");
        quit = task.order == Order::quit;
    }
}

void surviving_reader(Board& board, std::uint32_t id, const std::string& name, const ReaderTraits& traits) {
    Reader reader(board, id, Bus(name, options_of(policy_of(id))));
    reader.bus().subscribe(patterns_of(id));
    if (traits.with_descriptor) reader.use_descriptor();
    std::vector<std::unique_ptr<Reader>> extra;
    std::vector<Reader*> alongside;
    for (std::uint32_t other = kExtraReaders; traits.with_extra_inboxes && other < kReaders; ++other) {
        extra.push_back(std::make_unique<Reader>(board, other, reader.bus().separate(options_of(policy_of(other)))));
        extra.back()->bus().subscribe(patterns_of(other));
        alongside.push_back(extra.back().get());
    }
    serve_as_reader(reader, board.reader_orders[id], alongside);
}

}  // namespace swarmbus::faults
