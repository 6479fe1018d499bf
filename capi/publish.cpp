// Publishing.
#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "capi/guard.hpp"
#include "capi/objects.hpp"
#include "src/inbox/slot.hpp"
#include "src/routing/name.hpp"
#include "src/types/registry.hpp"
#include "src/types/verify.hpp"

using namespace swarmbus;
using capi::fail;
using capi::guarded;

namespace {

swb_result check_payload(const void* payload, std::size_t bytes) noexcept {
    return payload == nullptr && bytes > 0 ? fail(SWB_ERR_ARGUMENT, "the payload is NULL but has a length") : SWB_OK;
}

swb_result read_text(const char* text, std::size_t most, const char* what, std::string_view& out) {
    if (text == nullptr) return SWB_OK;
    out = text;
    if (out.size() <= most) return SWB_OK;
    return fail(
        SWB_ERR_ARGUMENT,
        (std::string(what) + " has " + std::to_string(out.size()) + " bytes; at most " + std::to_string(most) + " are allowed").c_str());
}

swb_result read_message(const swb_message* given, const core::Options& options, core::Message& message) {
    if (given == nullptr) return fail(SWB_ERR_ARGUMENT, "the message is NULL");
    if (given->size < sizeof(swb_message)) return fail(SWB_ERR_ARGUMENT, "swb_message.size is not set; set it to sizeof(swb_message)");
    if (const swb_result bad = check_payload(given->payload, given->payload_bytes)) return bad;
    if (given->encoding > SWB_FLEXBUFFERS) return fail(SWB_ERR_ARGUMENT, "the encoding is none of swb_encoding");
    if (const swb_result bad = read_text(given->subject, core::kMaxNameBytes, "the subject", message.subject)) return bad;
    if (const swb_result bad = read_text(given->source, SWB_SOURCE_BYTES - 1, "the source", message.source)) return bad;
    if (given->block_timeout_ns < 0 && given->block_timeout_ns != SWB_NO_WAIT) {
        return fail(SWB_ERR_ARGUMENT, "block_timeout_ns is negative; use SWB_NO_WAIT for no wait at all");
    }
    if (given->flags > SWB_LOANED) return fail(SWB_ERR_ARGUMENT, "the flags are none of SWB_LOANED");
    message.loaned = (given->flags & SWB_LOANED) != 0;
    message.payload = {static_cast<const std::byte*>(given->payload), given->payload_bytes};
    message.encoding = static_cast<std::uint8_t>(given->encoding);
    message.block_timeout_ns = given->block_timeout_ns == 0             ? options.block_timeout_ns
                               : given->block_timeout_ns == SWB_NO_WAIT ? 0
                                                                        : static_cast<std::uint64_t>(given->block_timeout_ns);
    return SWB_OK;
}

[[gnu::cold]] swb_result explain(swb_result result, const core::Handle& handle, std::string_view type) {
    if (result == SWB_ERR_TOO_LARGE) {
        const std::uint32_t slot = handle.attachment().segment().plan().slot_bytes;
        return fail(result, ("event '" + std::string(type) + "': its subject and source do not fit in a slot of " + std::to_string(slot) +
                             " bytes; use shorter ones, or create the bus with larger slot_bytes")
                                .c_str());
    }
    if (result == SWB_ERR_REENTRANT) {
        return fail(result, "this thread is inside publish already (a signal handler?); publish from elsewhere");
    }
    return fail(result, swb_result_text(result));
}

void tell(const core::Delivery& made, swb_delivery* delivery) noexcept {
    if (delivery == nullptr) return;
    delivery->sequence = made.sequence;
    delivery->delivered = made.delivered;
    delivery->dropped = made.dropped;
    delivery->writer = made.writer;
    std::copy(made.dropped_by.begin(), made.dropped_by.end(), delivery->dropped_by);
}

swb_result publish(core::Handle& handle, const char* type, core::Message&& message, swb_delivery* delivery) {
    core::Delivery made;
    const swb_result result = handle.writer().publish(handle.event_types(), type, message, made);
    tell(made, delivery);
    return result >= 0 ? result : explain(result, handle, type);
}

[[gnu::always_inline]] inline swb_result publish(core::Handle& handle, core::EventType& type, core::Message&& message,
                                                 swb_delivery* delivery) {
    core::Delivery made;
    const swb_result result = handle.writer().publish(type, message, made);
    tell(made, delivery);
    return result >= 0 ? result : explain(result, handle, type.name());
}

swb_result check_delivery(const swb_delivery* delivery) noexcept {
    return delivery != nullptr && delivery->size < sizeof(swb_delivery)
               ? fail(SWB_ERR_ARGUMENT, "swb_delivery.size is not set; set it to sizeof(swb_delivery)")
               : SWB_OK;
}

// With the option `verify`. Throws SWB_ERR_NO_SCHEMA, SWB_ERR_PAYLOAD.
void verify(core::Handle& handle, std::string_view type, const core::Message& message) {
    if (!handle.options().verify || message.encoding != SWB_FLATBUFFERS) return;
    const auto registered = handle.attachment().registry().find(type);
    if (!registered) throw core::Error(SWB_ERR_NO_SCHEMA, "type '" + std::string(type) + "' has no schema to verify its payload by");
    core::check_payload(registered->schema, message.payload);
}

core::Message plain_message(const core::Handle& handle, const void* payload, std::size_t bytes) noexcept {
    core::Message message;
    message.payload = {static_cast<const std::byte*>(payload), bytes};
    message.block_timeout_ns = handle.options().block_timeout_ns;
    return message;
}

}  // namespace

swb_result swb_publish(swb_bus* bus, const char* type, const void* payload, size_t payload_bytes) {
    if (bus == nullptr || type == nullptr)
        return fail(SWB_ERR_ARGUMENT, "the bus or the type is NULL (a bus that was never opened, or moved from?)");
    if (const swb_result bad = check_payload(payload, payload_bytes)) return bad;
    return guarded([&] {
        return bus->call([=](core::Handle& handle) {
            handle.check_usable();
            return publish(handle, type, plain_message(handle, payload, payload_bytes), nullptr);
        });
    });
}

swb_result swb_publish_message(swb_bus* bus, const char* type, const swb_message* message, swb_delivery* delivery) {
    if (bus == nullptr || type == nullptr)
        return fail(SWB_ERR_ARGUMENT, "the bus or the type is NULL (a bus that was never opened, or moved from?)");
    if (const swb_result bad = check_delivery(delivery)) return bad;
    return guarded([&] {
        return bus->call([&](core::Handle& handle) {
            handle.check_usable();
            core::Message read;
            if (const swb_result bad = read_message(message, handle.options(), read)) return bad;
            verify(handle, type, read);
            return publish(handle, type, std::move(read), delivery);
        });
    });
}

swb_result swb_loan(swb_bus* bus, size_t bytes, void** memory) {
    if (bus == nullptr || memory == nullptr) return fail(SWB_ERR_ARGUMENT, "swb_loan() needs a bus and a place for the memory");
    *memory = nullptr;
    return guarded([&] {
        return bus->call([&](core::Handle& handle) {
            *memory = handle.loan(bytes);
            return SWB_OK;
        });
    });
}

swb_result swb_loan_return(swb_bus* bus, void* memory) {
    if (bus == nullptr || memory == nullptr) return fail(SWB_ERR_ARGUMENT, "swb_loan_return() needs a bus and what swb_loan() gave");
    return guarded([&] {
        bus->connection->handle().give_back(memory);
        return SWB_OK;
    });
}

swb_result swb_publisher_open(swb_bus* bus, const char* type, swb_publisher** publisher) {
    if (bus == nullptr || type == nullptr || publisher == nullptr) {
        return fail(SWB_ERR_ARGUMENT, "swb_publisher_open() needs a bus, a type and a place for the publisher");
    }
    *publisher = nullptr;
    return guarded([&] {
        *publisher = new swb_publisher{{bus->connection, type}};
        return SWB_OK;
    });
}

swb_result swb_publisher_publish(swb_publisher* publisher, const void* payload, size_t payload_bytes) {
    if (publisher == nullptr) return fail(SWB_ERR_ARGUMENT, "the publisher is NULL");
    if (const swb_result bad = check_payload(payload, payload_bytes)) return bad;
    return guarded([&] {
        return publisher->type.with_handle([=](core::Handle& handle, core::EventType& type) {
            handle.check_usable();
            return publish(handle, type, plain_message(handle, payload, payload_bytes), nullptr);
        });
    });
}

swb_result swb_publisher_publish_message(swb_publisher* publisher, const swb_message* message, swb_delivery* delivery) {
    if (publisher == nullptr) return fail(SWB_ERR_ARGUMENT, "the publisher is NULL");
    if (const swb_result bad = check_delivery(delivery)) return bad;
    return guarded([&] {
        return publisher->type.with_handle([&](core::Handle& handle, core::EventType& type) {
            handle.check_usable();
            core::Message read;
            if (const swb_result bad = read_message(message, handle.options(), read)) return bad;
            verify(handle, type.name(), read);
            return publish(handle, type, std::move(read), delivery);
        });
    });
}

void swb_publisher_close(swb_publisher* publisher) { delete publisher; }
