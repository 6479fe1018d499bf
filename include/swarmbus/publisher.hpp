// Publishing: a message with its fields, what became of it, and a publisher bound to one type.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <swarmbus/event.hpp>

namespace swarmbus {

// Memory for a payload, where subscribers will read it: from Bus::loan(). Given back by its destructor if it
// was not published. Must not outlive the Bus it came from.
class Loan {
public:
    Loan(swb_bus* bus, std::size_t bytes) : bus_(bus) {
        void* memory = nullptr;
        detail::check(swb_loan(bus, bytes, &memory));
        memory_ = {static_cast<std::byte*>(memory), bytes};
    }
    Loan(Loan&& other) noexcept : bus_(other.bus_), memory_(other.release()) {}
    Loan& operator=(Loan&& other) noexcept {
        if (this != &other) {
            give_back();
            bus_ = other.bus_;
            memory_ = other.release();
        }
        return *this;
    }
    ~Loan() { give_back(); }

    // Empty once it is published.
    std::span<std::byte> memory() const noexcept { return memory_; }

private:
    friend class Bus;
    friend class Publisher;
    std::span<std::byte> release() noexcept { return std::exchange(memory_, {}); }
    void give_back() noexcept {
        if (memory_.data() != nullptr) swb_loan_return(bus_, memory_.data());
    }
    swb_bus* bus_;
    std::span<std::byte> memory_;
};

// A message with more than a payload. Texts and payload must live during the call.
struct Message {
    std::span<const std::byte> payload{};
    const char* subject = nullptr;  // what it is about: up to 127 bytes
    const char* source = nullptr;   // instead of the handle's: up to 63 bytes
    Encoding encoding = Encoding::bytes;
    // Longest wait for full block inboxes; unset: the handle's; zero: none.
    std::optional<std::chrono::nanoseconds> block_timeout{};

    swb_message raw() const noexcept {
        swb_message m{};
        m.size = sizeof m;
        m.payload = payload.data();
        m.payload_bytes = payload.size();
        m.subject = subject;
        m.source = source;
        m.encoding = static_cast<std::uint32_t>(encoding);
        if (block_timeout) m.block_timeout_ns = block_timeout->count() > 0 ? block_timeout->count() : SWB_NO_WAIT;
        return m;
    }
    swb_message raw(std::span<const std::byte> loaned, std::size_t bytes) const noexcept {
        swb_message m = raw();
        m.payload = loaned.data();
        m.payload_bytes = bytes;
        m.flags = SWB_LOANED;
        return m;
    }
};

// What became of one event.
struct Delivery {
    std::uint64_t sequence = 0;                               // given to the event
    std::uint32_t delivered = 0;                              // inboxes that have it
    std::uint32_t dropped = 0;                                // matching inboxes that have not; their readers are told
    std::array<std::uint32_t, SWB_LOSS_CAUSES> dropped_by{};  // why: by LossCause
    std::uint32_t writer = 0;                                 // with `sequence`, what the event is known by

    explicit Delivery(const swb_delivery& raw) noexcept
        : sequence(raw.sequence),
          delivered(raw.delivered),
          dropped(raw.dropped),
          dropped_by(std::to_array(raw.dropped_by)),
          writer(raw.writer) {}

    std::uint32_t dropped_for(LossCause cause) const noexcept { return dropped_by[static_cast<std::size_t>(cause)]; }
};

inline std::span<const std::byte> as_payload(std::string_view text) noexcept { return std::as_bytes(std::span(text.data(), text.size())); }

// The fast way to publish often. From Bus::publisher(); may outlive the bus, but then throws
// SWB_ERR_CLOSED. Any thread may use it.
class Publisher {
public:
    explicit Publisher(swb_publisher* owned) noexcept : raw_(owned) {}

    // False if a matching subscriber did not get it (its reader is told). Throws Error.
    bool publish(std::span<const std::byte> payload) {
        return detail::check(swb_publisher_publish(raw_.get(), payload.data(), payload.size())) == SWB_OK;
    }
    bool publish(std::string_view text) { return publish(as_payload(text)); }
    Delivery publish(const Message& message) { return publish(message.raw()); }
    // Publishes the first `bytes` of a loan, uncopied, with the message's other fields; the loan is empty then.
    Delivery publish(Loan&& loan, std::size_t bytes, const Message& message = {}) {
        const Delivery delivery = publish(message.raw(loan.memory_, bytes));
        loan.release();
        return delivery;
    }

private:
    Delivery publish(const swb_message& m) {
        swb_delivery d{};
        d.size = sizeof d;
        detail::check(swb_publisher_publish_message(raw_.get(), &m, &d));
        return Delivery(d);
    }
    struct Close {
        void operator()(swb_publisher* p) const noexcept { swb_publisher_close(p); }
    };
    std::unique_ptr<swb_publisher, Close> raw_;
};

}  // namespace swarmbus
