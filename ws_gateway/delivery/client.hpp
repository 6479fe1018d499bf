// Who receives events: a filter, and a place in the journal. No queue.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "ws_gateway/delivery/batch.hpp"
#include "ws_gateway/delivery/token_bucket.hpp"
#include "ws_gateway/journal/latest.hpp"
#include "ws_gateway/messages/messages.hpp"

namespace swarmbus::gateway {

class Transport;

// Made and owned by its transport, as a part of a connection; what is below is the hub's.
struct Client {
    Client(Transport& its_transport, MessageForm& its_form, Clock::time_point now) noexcept
        : transport(its_transport), form(its_form), bucket(0, now), spoken_at(now) {}
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    Transport& transport;
    MessageForm& form;

    std::shared_ptr<const Filter> filter;  // null: nothing asked for yet
    Place place;
    std::chrono::milliseconds batch{0};
    bool coalesce = false;
    std::uint32_t message_events = ~0u;  // the most in one message
    TokenBucket bucket;

    std::optional<Latest::Walk> snapshot;  // under way
    bool snapshot_is_complete = false;

    Clock::time_point due{};           // gathers until then
    Clock::time_point spoken_at;       // when something was sent last
    std::uint64_t flush_up_to = 0;     // what the journal had when gathering ended
    std::uint64_t flushed_bytes = 0;   // Filter::bytes() at that time
    std::size_t armed_at = kNotArmed;  // in Hub::armed_
    bool waits = false;                // is in Hub::waiting_, by `due`

    static constexpr std::size_t kNotArmed = ~std::size_t{0};
};

}  // namespace swarmbus::gateway
