// Finds the events in the gateway's messages, in either subprotocol, as fast as a load must: it looks at their sequence and time only.
#pragma once

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

#include <swarmbus/gateway_generated.h>

namespace swarmbus::bench {

// What a connection was told so far.
struct Received {
    std::uint64_t events = 0, lost = 0;
    std::uint64_t next = 0;  // sequence; 0: any
    bool is_subscribed = false;

    void event(std::uint64_t sequence) {
        if (next != 0 && sequence != next) {
            if (sequence < next) throw std::runtime_error("event " + std::to_string(sequence) + " came twice or too late");
            lost += sequence - next;
        }
        next = sequence + 1;
        ++events;
    }
};

// Both take the next part of a message and say how much of it they have dealt with; what is left is shown again, with more behind it.
// `on_time(time_ns)` is told when an event was published.
template <typename OnTime>
std::size_t read_flat(std::string_view part, Received& received, OnTime&& on_time) {
    std::size_t at = 0;
    while (part.size() - at >= sizeof(flatbuffers::uoffset_t)) {
        const auto* const bytes = reinterpret_cast<const std::uint8_t*>(part.data() + at);
        const std::size_t size = sizeof(flatbuffers::uoffset_t) + flatbuffers::ReadScalar<flatbuffers::uoffset_t>(bytes);
        if (part.size() - at < size) break;
        const wire::Frame& frame = *flatbuffers::GetSizePrefixedRoot<wire::Frame>(bytes);
        if (const wire::Stamp* const stamp = frame.stamp()) {
            received.event(stamp->sequence());
            on_time(stamp->time_ns());
        } else if (frame.control_type() == wire::Control::Subscribed) {
            received.is_subscribed = true;
        }
        at += size;
    }
    return at;
}

inline std::size_t read_json(std::string_view part, Received& received, bool is_begin, bool is_end) {
    constexpr std::string_view kKey = "\"sequence\":", kSubscribed = "{\"op\":\"subscribed\"";
    constexpr std::size_t kLongest = kKey.size() + 21;  // with its number and what ends it
    if (is_begin) {
        if (part.size() < kSubscribed.size() && !is_end) return 0;
        received.is_subscribed |= part.starts_with(kSubscribed);
    }
    std::size_t at = 0;
    while (true) {
        const void* const found = ::memmem(part.data() + at, part.size() - at, kKey.data(), kKey.size());
        if (found == nullptr) break;
        const auto key = static_cast<std::size_t>(static_cast<const char*>(found) - part.data());
        std::size_t digit = key + kKey.size();
        std::uint64_t sequence = 0;
        while (digit < part.size() && part[digit] >= '0' && part[digit] <= '9') {
            sequence = sequence * 10 + static_cast<std::uint64_t>(part[digit++] - '0');
        }
        if (digit == part.size()) return key;  // its number may go on
        received.event(sequence);
        at = digit;
    }
    if (is_end) return part.size();
    return std::max(at, part.size() - std::min(part.size(), kLongest));
}

}  // namespace swarmbus::bench
