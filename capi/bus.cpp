// Handles: open, subscribe, receive, close.
#include <cstdlib>
#include <cstring>

#include "capi/guard.hpp"
#include "capi/objects.hpp"
#include "src/life/cancellation.hpp"

using namespace swarmbus;
using capi::fail;
using capi::guarded;

namespace {

swb_result check_event(const swb_event* events, std::size_t capacity) noexcept {
    if (events == nullptr || capacity == 0) return fail(SWB_ERR_ARGUMENT, "there is no event to fill; pass at least one");
    if (events->size < sizeof(swb_event) || events->size % alignof(swb_event) != 0) {
        return fail(SWB_ERR_ARGUMENT, "swb_event.size is not set; set it to sizeof(swb_event)");
    }
    return SWB_OK;
}

template <typename Call>
swb_result with_bus(swb_bus* bus, Call&& call) noexcept {
    if (bus == nullptr) return fail(SWB_ERR_ARGUMENT, "the bus is NULL; open one with swb_open()");
    return guarded([&] {
        const std::shared_ptr<core::Connection> connection = bus->connection;  // it may be closed meanwhile
        return connection->with_handle(call);
    });
}

// For receiving, where closing waits for the receiver: no count of owners is kept for every event.
template <typename Call>
swb_result receiving(swb_bus* bus, std::int64_t& timeout_ns, Call&& call) noexcept {
    if (bus == nullptr) return fail(SWB_ERR_ARGUMENT, "the bus is NULL; open one with swb_open()");
    if (timeout_ns == SWB_NO_WAIT) timeout_ns = 0;
    if (timeout_ns < 0 && timeout_ns != SWB_FOREVER)
        return fail(SWB_ERR_ARGUMENT, "timeout_ns is negative; use SWB_FOREVER to wait without end");
    return guarded([&] {
        core::Connection& connection = *bus->connection;
        return bus->call([&](core::Handle& handle) {
            if (connection.take_news()) [[unlikely]]
                return swb_result{SWB_REATTACHED};
            return call(handle);
        });
    });
}

}  // namespace

swb_result swb_open(const char* name, const swb_options* options, swb_bus** bus) {
    if (name == nullptr || bus == nullptr) return fail(SWB_ERR_ARGUMENT, "swb_open() needs a name and a place for the bus");
    *bus = nullptr;
    return guarded([&] {
        auto opened = std::make_unique<swb_bus>();
        opened->connection = std::make_shared<core::Connection>(name, core::Handle::open(name, core::read_options(options)));
        *bus = opened.release();
        return SWB_OK;
    });
}

swb_result swb_separate(swb_bus* bus, const swb_options* options, swb_bus** separate) {
    if (separate == nullptr) return fail(SWB_ERR_ARGUMENT, "swb_separate() needs a place for the new handle");
    *separate = nullptr;
    return with_bus(bus, [&](core::Handle& handle) {
        auto opened = std::make_unique<swb_bus>();
        std::shared_ptr<core::Handle> made = handle.separate(options != nullptr ? core::read_options(options) : handle.options());
        opened->connection = std::make_shared<core::Connection>(bus->connection->bus(), std::move(made));
        *separate = opened.release();
        return SWB_OK;
    });
}

void swb_close(swb_bus* bus) {
    if (bus == nullptr) return;
    const core::HoldCancellation hold;
    bus->connection->close();
    delete bus;
}

swb_result swb_subscribe(swb_bus* bus, const char* patterns, swb_handler* handler, void* user, uint64_t* id) {
    if (patterns == nullptr) return fail(SWB_ERR_ARGUMENT, "the patterns are NULL; '*' asks for every event");
    return with_bus(bus, [&](core::Handle& handle) {
        const std::uint64_t subscribed = handle.subscribe(patterns, handler, user);
        if (id != nullptr) *id = subscribed;
        return SWB_OK;
    });
}

swb_result swb_unsubscribe(swb_bus* bus, uint64_t id) {
    return with_bus(bus, [&](core::Handle& handle) {
        handle.unsubscribe(id);
        return SWB_OK;
    });
}

swb_result swb_next(swb_bus* bus, int64_t timeout_ns, swb_event* event) {
    if (const swb_result bad = check_event(event, 1)) return bad;
    std::size_t count = 0;
    return receiving(bus, timeout_ns, [&](core::Handle& handle) { return handle.receive(timeout_ns, event, 1, count); });
}

swb_result swb_next_batch(swb_bus* bus, int64_t timeout_ns, swb_event* events, size_t capacity, size_t* count) {
    if (count == nullptr) return fail(SWB_ERR_ARGUMENT, "swb_next_batch() needs a place for the count");
    *count = 0;
    if (const swb_result bad = check_event(events, capacity)) return bad;
    return receiving(bus, timeout_ns, [&](core::Handle& handle) { return handle.receive(timeout_ns, events, capacity, *count); });
}

swb_result swb_descriptor(swb_bus* bus, int* descriptor) {
    if (descriptor == nullptr) return fail(SWB_ERR_ARGUMENT, "swb_descriptor() needs a place for the descriptor");
    *descriptor = -1;
    return with_bus(bus, [&](core::Handle& handle) {
        *descriptor = bus->connection->reattaches() ? bus->connection->descriptor() : handle.descriptor();
        return SWB_OK;
    });
}

swb_result swb_release(swb_bus* bus) {
    return with_bus(bus, [](core::Handle& handle) { return handle.release(); });
}

swb_result swb_run_once(swb_bus* bus, int64_t timeout_ns, size_t* handled) {
    std::size_t count = 0;
    const swb_result result = receiving(bus, timeout_ns, [&](core::Handle& handle) { return handle.run_once(timeout_ns, count); });
    if (handled != nullptr) *handled = count;
    return result;
}

swb_result swb_run(swb_bus* bus) {
    return with_bus(bus, [&](core::Handle& handle) {
        bus->connection->take_news();  // nobody to tell: handlers go on
        return handle.run();
    });
}

swb_result swb_stop(swb_bus* bus) {
    if (bus == nullptr) return fail(SWB_ERR_ARGUMENT, "the bus is NULL; open one with swb_open()");
    const std::shared_ptr<core::Connection> hold = bus->connection;
    const swb_result result = hold->stop();  // does nothing that a signal handler may not do
    return result >= 0 ? result : fail(result, swb_result_text(result));
}

swb_result swb_losses(swb_bus* bus, uint64_t lost_by[SWB_LOSS_CAUSES]) {
    if (lost_by == nullptr) return fail(SWB_ERR_ARGUMENT, "swb_losses() needs a place for the counts");
    return with_bus(bus, [&](core::Handle& handle) {
        const core::Losses losses = handle.losses();
        std::copy(losses.begin(), losses.end(), lost_by);
        return SWB_OK;
    });
}

// One block: the event, its payload at an 8-byte boundary, then the texts.
swb_result swb_event_copy(const swb_event* event, swb_event** copy) {
    if (copy == nullptr || event == nullptr || event->size < sizeof(swb_event) || event->type == nullptr) {
        return fail(SWB_ERR_ARGUMENT, "swb_event_copy() needs a received event and a place for the copy");
    }
    *copy = nullptr;
    const std::size_t texts[] = {std::strlen(event->type) + 1, std::strlen(event->source) + 1, std::strlen(event->subject) + 1};
    const std::size_t payload_at = (event->size + 7) / 8 * 8;
    char* block = static_cast<char*>(std::malloc(payload_at + event->payload_bytes + texts[0] + texts[1] + texts[2]));
    if (block == nullptr) return fail(SWB_ERR_MEMORY, "out of memory for the copy of an event");
    auto* made = reinterpret_cast<swb_event*>(block);
    std::memcpy(made, event, event->size);
    char* at = block + payload_at;
    const auto put = [&at](const void* bytes, std::size_t count) {
        char* here = at;
        if (count > 0) std::memcpy(here, bytes, count);
        at += count;
        return here;
    };
    made->payload = put(event->payload, event->payload_bytes);
    made->type = put(event->type, texts[0]);
    made->source = put(event->source, texts[1]);
    made->subject = put(event->subject, texts[2]);
    *copy = made;
    return SWB_OK;
}

void swb_event_free(swb_event* copy) { std::free(copy); }
