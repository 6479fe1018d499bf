// A bus, opened by name.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <swarmbus/event.hpp>
#include <swarmbus/publisher.hpp>
#include <swarmbus/types.hpp>

namespace swarmbus {

enum class Overflow : std::uint32_t {
    drop_oldest = SWB_DROP_OLDEST,
    drop_newest = SWB_DROP_NEWEST,
    block = SWB_BLOCK,
};

// How to open a bus; the fields are those of swb_options (swarmbus.h). Unset: the default.
struct Options {
    std::string source{};
    std::uint32_t open_mode = 0;       // 0: open or create; SWB_OPEN_ONLY; SWB_CREATE_ONLY
    std::uint32_t permissions = 0;     // of a bus that is created; default 0600
    std::uint32_t capacity_slots = 0;  // of this handle's inbox
    Overflow overflow = Overflow::drop_oldest;
    std::optional<std::chrono::nanoseconds> block_timeout{};
    std::optional<std::chrono::nanoseconds> spin{};  // nanoseconds::max(): never sleep
    std::optional<std::chrono::nanoseconds> stall_timeout{};
    std::uint32_t max_participants = 0, max_subscribers = 0, max_types = 0, slot_bytes = 0, default_capacity = 0;
    std::uint64_t ring_bytes = 0;
    std::uint64_t arena_bytes = 0;  // publishers: room for large events that are not received yet
    bool reattach = false;          // opens the bus anew when it was removed
    bool strict = false;            // of a bus that is created: only types with a schema can be published
    bool verify = false;            // publishers: FlatBuffers are verified before they are published

    swb_options raw() const noexcept;
};

using Handler = std::function<void(const Event&)>;
using SubscriptionId = std::uint64_t;

// This process on a bus: publishes, and receives through one inbox. Several threads may use it at
// once; one receives at a time. Calls throw Error. Closed by its destructor.
class Bus {
public:
    static constexpr std::chrono::nanoseconds forever = std::chrono::nanoseconds::max();

    // Opens the bus of that name, or creates it.
    explicit Bus(const std::string& name, const Options& options = {});
    ~Bus() = default;
    Bus(Bus&&) noexcept = default;
    Bus& operator=(Bus&&) noexcept = default;

    // Publishes to every inbox whose patterns match. False if one of them did not get it.
    bool publish(const char* type, std::span<const std::byte> payload) {
        return detail::check(swb_publish(raw(), type, payload.data(), payload.size())) == SWB_OK;
    }
    bool publish(const char* type, std::string_view text) { return publish(type, as_payload(text)); }
    Delivery publish(const char* type, const Message& message) { return publish(type, message.raw()); }
    // Memory for a payload of up to that many bytes, to be published without a copy.
    Loan loan(std::size_t bytes) { return Loan(raw(), bytes); }
    // Publishes the first `bytes` of a loan with the message's other fields; the loan is empty then.
    Delivery publish(const char* type, Loan&& loan, std::size_t bytes, const Message& message = {}) {
        const Delivery delivery = publish(type, message.raw(loan.memory_, bytes));
        loan.release();
        return delivery;
    }
    bool publish(const std::string& type, std::span<const std::byte> payload) { return publish(type.c_str(), payload); }
    bool publish(const std::string& type, std::string_view text) { return publish(type.c_str(), as_payload(text)); }
    Delivery publish(const std::string& type, const Message& message) { return publish(type.c_str(), message); }
    Publisher publisher(const std::string& type) { return publisher(type.c_str()); }
    Publisher publisher(const char* type) {
        swb_publisher* made = nullptr;
        detail::check(swb_publisher_open(raw(), type, &made));
        return Publisher(made);
    }

    // Publishes a table of generated code (an object of its object API) under the type that its schema names. The payload
    // and encoding of the message are ignored. Include <swarmbus/typed.hpp>, or <swarmbus/events.hpp> for the standard events.
    template <typename Object>
    requires requires { typename Object::TableType; }
    Delivery publish(const Object& object, const Message& message = {});
    // Publishes an event that is given as JSON: as a FlatBuffer, if its type has a schema, else as it is. The payload and
    // encoding of the message are ignored.
    Delivery publish_json(const std::string& type, std::string_view json, const Message& message = {}) {
        swb_delivery d{};
        d.size = sizeof d;
        const swb_message m = message.raw();
        detail::check(swb_publish_json(raw(), type.c_str(), json.data(), json.size(), &m, &d));
        return Delivery(d);
    }
    // The payload of an event as JSON, whatever its encoding.
    std::string to_json(const Event& event) {
        const char* json = nullptr;
        std::size_t bytes = 0;
        detail::check(swb_event_to_json(raw(), &event.raw(), &json, &bytes));
        return {json, bytes};
    }

    // An event as a CloudEvent 1.0 in its JSON form (docs/cloudevents.md), in one line.
    std::string to_cloudevent(const Event& event) {
        const char* json = nullptr;
        std::size_t bytes = 0;
        detail::check(swb_event_to_cloudevent(raw(), &event.raw(), &json, &bytes));
        return {json, bytes};
    }
    // Publishes an event that is given as a CloudEvent 1.0 in its JSON form, under its type, with its source and subject.
    Delivery publish_cloudevent(std::string_view json) {
        swb_delivery d{};
        d.size = sizeof d;
        detail::check(swb_publish_cloudevent(raw(), json.data(), json.size(), &d));
        return Delivery(d);
    }

    // Registers a schema, binary (.bfbs) or text (.fbs), for a type. What only adds to one that is registered takes its
    // place; what changes it throws SWB_ERR_INCOMPATIBLE. The root table is the schema's own if it is not named.
    void register_type(const std::string& type, std::string_view schema, const std::string& root = {}) {
        detail::check(swb_register_type(raw(), type.c_str(), schema.data(), schema.size(), root.empty() ? nullptr : root.c_str()));
    }
    // The same for each table of the schema that names its type: table T (event: "domain.entity.action").
    void register_types(std::string_view schema) {
        detail::check(swb_register_type(raw(), nullptr, schema.data(), schema.size(), nullptr));
    }
    // All registered types, by name.
    std::vector<RegisteredType> types() { return detail::types_of(raw(), nullptr); }
    // Throws SWB_ERR_NO_SCHEMA if none is registered.
    RegisteredType type(const std::string& name) { return detail::types_of(raw(), name.c_str()).front(); }
    // Whether the bus has a schema for the type.
    bool has_type(const std::string& name) { return detail::has_type(raw(), name.c_str()); }

    // Subscribes to patterns ("agent.* task.failed"); from then on nothing that matches is missed.
    // The handler is for run() and run_once(); an exception out of it ends that call and is
    // rethrown there. Without one, take events with next().
    SubscriptionId subscribe(const std::string& patterns, Handler handler = nullptr);
    // When it returns, the handler is not running (unless it is the caller) and never will again.
    void unsubscribe(SubscriptionId id);

    // The next event; nothing after `timeout`, or after stop(). An event for which `operator bool`
    // is false tells losses that nothing followed yet.
    std::optional<Event> next(std::chrono::nanoseconds timeout = forever);
    // All that is there, up to `most`; empty after `timeout`, or after stop(). One event that is false tells
    // losses that nothing followed yet. Valid until the next receiving call.
    std::span<const Event> next_batch(std::size_t most, std::chrono::nanoseconds timeout = forever);
    // Readable for poll() and epoll when there may be something to receive, until next(0ns) finds nothing.
    // Subscribe first. The Bus's own: don't close it.
    int descriptor() {
        int found = -1;
        detail::check(swb_descriptor(raw(), &found));
        return found;
    }
    // Gives back what was received, before the next receiving call does.
    void release() { detail::check(swb_release(raw())); }

    // Gives what is there to the handlers that match; how many events. After a stop() by a handler, or an
    // exception out of one, what is left comes first with the next receiving call.
    std::size_t run_once(std::chrono::nanoseconds timeout = forever);
    // Gives events to handlers until stop().
    void run();
    // Makes run() or a waiting call return; also from handlers, signal handlers and other threads.
    void stop() {
        state_->stop_asked.store(true, std::memory_order_relaxed);
        detail::check(swb_stop(raw()));
    }

    // A second handle on the same bus with an inbox of its own.
    Bus separate(const Options& options) const;

    // Events this handle's inbox has lost so far, told or not.
    std::uint64_t lost(LossCause cause) const;

    // With the option `reattach`: how often a receiving call found that the bus was opened anew. It returned
    // nothing then; events may be missing.
    std::uint64_t reattached() const noexcept { return state_->reattached.load(std::memory_order_relaxed); }

    swb_bus* raw() const noexcept { return state_ ? state_->bus.get() : nullptr; }

private:
    struct Close {
        void operator()(swb_bus* bus) const noexcept { swb_close(bus); }
    };
    struct State;
    struct Subscriber {
        Handler handler;
        State* state;
    };
    // Behind a pointer, so that a moved Bus keeps what handlers refer to.
    struct State : std::enable_shared_from_this<State> {
        std::mutex mutex;
        std::map<SubscriptionId, std::unique_ptr<Subscriber>> handlers;
        const Subscriber* running = nullptr;          // whose handler runs now
        std::unique_ptr<Subscriber> ended_by_itself;  // destroyed when its handler has returned
        std::exception_ptr thrown;
        std::atomic<std::uint64_t> reattached{0};
        std::atomic<bool> stop_asked{false};  // and not used up yet
        std::vector<Event> batch;
        std::unique_ptr<swb_bus, Close> bus;  // last: closed before what its handlers use
    };

    Delivery publish(const char* type, const swb_message& m) {
        swb_delivery d{};
        d.size = sizeof d;
        detail::check(swb_publish_message(raw(), type, &m, &d));
        return Delivery(d);
    }
    explicit Bus(swb_bus* owned) : state_(std::make_shared<State>()) { state_->bus.reset(owned); }
    static void call(const swb_event* event, void* user);
    static void rethrow(State& state);
    static void note(State& state, swb_result result) noexcept;
    // A deadline that has passed leaves a negative timeout: one look.
    static std::int64_t wait(std::chrono::nanoseconds timeout) noexcept {
        return timeout == forever ? SWB_FOREVER : std::max<std::int64_t>(timeout.count(), 0);
    }

    std::shared_ptr<State> state_;  // shared with calls under way: a handler may destroy the Bus
};

// ---------------------------------------------------------------- implementation

inline swb_options Options::raw() const noexcept {
    swb_options o{};
    o.size = sizeof o;
    o.source = source.empty() ? nullptr : source.c_str();
    o.open_mode = open_mode;
    o.permissions = permissions;
    o.capacity_slots = capacity_slots;
    o.overflow = static_cast<std::uint32_t>(overflow);
    if (block_timeout) o.block_timeout_ns = block_timeout->count() > 0 ? block_timeout->count() : SWB_NO_WAIT;
    const auto at_least_1 = [](std::chrono::nanoseconds t) { return static_cast<std::uint64_t>(std::max<std::int64_t>(t.count(), 1)); };
    if (spin) o.spin_ns = *spin == std::chrono::nanoseconds::max() ? UINT64_MAX : at_least_1(*spin);
    if (stall_timeout) o.stall_timeout_ns = at_least_1(*stall_timeout);
    o.max_participants = max_participants;
    o.max_subscribers = max_subscribers;
    o.max_types = max_types;
    o.slot_bytes = slot_bytes;
    o.default_capacity = default_capacity;
    o.ring_bytes = ring_bytes;
    o.arena_bytes = arena_bytes;
    o.reattach = reattach ? 1 : 0;
    o.strict = strict ? 1 : 0;
    o.verify = verify ? 1 : 0;
    return o;
}

inline Bus::Bus(const std::string& name, const Options& options) : state_(std::make_shared<State>()) {
    const swb_options o = options.raw();
    swb_bus* opened = nullptr;
    detail::check(swb_open(name.c_str(), &o, &opened));
    state_->bus.reset(opened);
}

inline Bus Bus::separate(const Options& options) const {
    const swb_options o = options.raw();
    swb_bus* opened = nullptr;
    detail::check(swb_separate(raw(), &o, &opened));
    return Bus(opened);
}

inline void Bus::call(const swb_event* event, void* user) {
    const auto& subscriber = *static_cast<Subscriber*>(user);
    State& state = *subscriber.state;
    if (state.thrown) return;  // an earlier handler of this event threw
    {
        const std::lock_guard lock(state.mutex);
        state.running = &subscriber;
    }
    try {
        subscriber.handler(Event(*event));
    } catch (...) {
        state.thrown = std::current_exception();
        swb_stop(state.bus.get());  // the events behind this one stay for the next call
    }
    const std::lock_guard lock(state.mutex);
    state.running = nullptr;
    state.ended_by_itself.reset();
}

// The stop that ended the call was the throwing handler's; one that was asked for is still due.
inline void Bus::rethrow(State& state) {
    if (!state.thrown) return;
    if (state.stop_asked.load(std::memory_order_relaxed)) swb_stop(state.bus.get());
    std::rethrow_exception(std::exchange(state.thrown, nullptr));
}

inline void Bus::note(State& state, swb_result result) noexcept {
    if (result == SWB_REATTACHED) state.reattached.fetch_add(1, std::memory_order_relaxed);
    if (result == SWB_STOPPED) state.stop_asked.store(false, std::memory_order_relaxed);
}

inline SubscriptionId Bus::subscribe(const std::string& patterns, Handler handler) {
    SubscriptionId id = 0;
    if (!handler) {
        detail::check(swb_subscribe(raw(), patterns.c_str(), nullptr, nullptr, &id));
        return id;
    }
    auto subscriber = std::make_unique<Subscriber>(Subscriber{std::move(handler), state_.get()});
    detail::check(swb_subscribe(raw(), patterns.c_str(), &Bus::call, subscriber.get(), &id));
    const std::lock_guard lock(state_->mutex);
    state_->handlers.emplace(id, std::move(subscriber));
    return id;
}

inline void Bus::unsubscribe(SubscriptionId id) {
    detail::check(swb_unsubscribe(raw(), id));
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->handlers.find(id);
    if (found == state_->handlers.end()) return;
    if (found->second.get() == state_->running) state_->ended_by_itself = std::move(found->second);
    state_->handlers.erase(found);
}

inline std::optional<Event> Bus::next(std::chrono::nanoseconds timeout) {
    std::optional<Event> event(std::in_place);
    const swb_result result = detail::check(swb_next(raw(), wait(timeout), &event->raw_));
    note(*state_, result);
    if (result == SWB_TIMED_OUT || result == SWB_STOPPED || result == SWB_REATTACHED) event.reset();
    return event;
}

inline std::span<const Event> Bus::next_batch(std::size_t most, std::chrono::nanoseconds timeout) {
    static_assert(sizeof(Event) == sizeof(swb_event));
    if (state_->batch.size() < most) state_->batch.resize(most);
    std::size_t count = 0;
    auto* events = reinterpret_cast<swb_event*>(state_->batch.data());
    const swb_result result = detail::check(swb_next_batch(raw(), wait(timeout), events, most, &count));
    note(*state_, result);
    return {state_->batch.data(), result == SWB_LOST ? std::size_t{1} : count};
}

inline std::size_t Bus::run_once(std::chrono::nanoseconds timeout) {
    const std::shared_ptr<State> state = state_;
    std::size_t handled = 0;
    const swb_result result = detail::check(swb_run_once(raw(), wait(timeout), &handled));
    rethrow(*state);
    note(*state, result);
    return handled;
}

inline void Bus::run() {
    const std::shared_ptr<State> state = state_;
    while (state.use_count() > 1) {  // a handler may have destroyed the Bus
        std::size_t handled = 0;
        const swb_result result = detail::check(swb_run_once(state->bus.get(), SWB_FOREVER, &handled));
        rethrow(*state);
        note(*state, result);
        if (result == SWB_STOPPED) return;
    }
}

inline std::uint64_t Bus::lost(LossCause cause) const {
    std::uint64_t lost_by[SWB_LOSS_CAUSES] = {};
    detail::check(swb_losses(raw(), lost_by));
    return lost_by[static_cast<std::size_t>(cause)];
}

}  // namespace swarmbus
