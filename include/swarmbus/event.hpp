// Events as received.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <swarmbus/error.hpp>

namespace swarmbus {

enum class Encoding : std::uint32_t {
    bytes = SWB_BYTES,
    text = SWB_TEXT,
    json = SWB_JSON,
    flatbuffers = SWB_FLATBUFFERS,
    flexbuffers = SWB_FLEXBUFFERS,
};

enum class LossCause : std::size_t {
    evicted = SWB_LOSS_EVICTED,
    full = SWB_LOSS_FULL,
    timeout = SWB_LOSS_TIMEOUT,
    self = SWB_LOSS_SELF,
    no_slot = SWB_LOSS_NO_SLOT,
    damaged = SWB_LOSS_DAMAGED,
};

// A view of a received event: valid until its handle receives again, releases or closes; in a
// handler, until the handler returns. An EventCopy outlives that. Cheap to pass around.
class Event {
public:
    // Empty.
    Event() noexcept {
        raw_.size = sizeof raw_;
        raw_.type = raw_.source = raw_.subject = "";
        raw_.payload = nullptr;
        raw_.payload_bytes = 0;
        raw_.lost = 0;
    }
    explicit Event(const swb_event& raw) noexcept : raw_(raw) {}

    // False when only losses were told: type() is empty then.
    explicit operator bool() const noexcept { return *raw_.type != '\0'; }

    std::string_view type() const noexcept { return text(raw_.type); }
    std::string_view source() const noexcept { return text(raw_.source); }
    std::string_view subject() const noexcept { return text(raw_.subject); }
    std::uint64_t sequence() const noexcept { return raw_.sequence; }  // of its writer
    std::uint32_t writer() const noexcept { return raw_.writer; }
    std::uint64_t time_ns() const noexcept { return raw_.time_ns; }  // wall clock, since 1970
    std::chrono::sys_time<std::chrono::nanoseconds> time() const noexcept {
        return std::chrono::sys_time<std::chrono::nanoseconds>(std::chrono::nanoseconds(raw_.time_ns));
    }
    Encoding encoding() const noexcept { return static_cast<Encoding>(raw_.encoding); }
    std::span<const std::byte> payload() const noexcept {  // 8-byte aligned
        return {static_cast<const std::byte*>(raw_.payload), raw_.payload_bytes};
    }
    std::string_view text() const noexcept { return {static_cast<const char*>(raw_.payload), raw_.payload_bytes}; }

    // The payload as a table of generated code, verified: nullptr if the event is of another type. Throws SWB_ERR_PAYLOAD if
    // the payload is not such a table. Include <swarmbus/typed.hpp>, or <swarmbus/events.hpp> for the standard events.
    template <typename Table>
    const Table* as() const;

    // Events lost to this inbox since the one before.
    std::uint64_t lost() const noexcept { return raw_.lost; }
    std::uint64_t lost(LossCause cause) const noexcept { return raw_.lost_by[static_cast<std::size_t>(cause)]; }

    const swb_event& raw() const noexcept { return raw_; }

private:
    friend class Bus;  // receives into raw_
    static std::string_view text(const char* s) noexcept { return s != nullptr ? std::string_view(s) : std::string_view(); }

    swb_event raw_;
};

// An event that owns what it shows.
class EventCopy {
public:
    explicit EventCopy(const Event& event) {
        swb_event* copy = nullptr;
        detail::check(swb_event_copy(&event.raw(), &copy));
        copy_.reset(copy, swb_event_free);
    }
    Event view() const noexcept { return Event(*copy_); }

private:
    std::shared_ptr<swb_event> copy_;
};

}  // namespace swarmbus
