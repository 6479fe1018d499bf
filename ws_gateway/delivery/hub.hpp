// Brings the journal's events to the clients: decides what each gets, and when. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ws_gateway/bus/feed.hpp"
#include "ws_gateway/delivery/batch.hpp"
#include "ws_gateway/delivery/client.hpp"
#include "ws_gateway/delivery/filter.hpp"
#include "ws_gateway/journal/journal.hpp"
#include "ws_gateway/journal/latest.hpp"
#include "ws_gateway/transports/transport.hpp"

namespace swarmbus::gateway {

// What a client asks for.
struct Subscription {
    Patterns patterns;  // to be added
    std::optional<Cursor> since;
    bool snapshot = false;
    std::optional<std::chrono::milliseconds> batch;
    std::optional<bool> coalesce;
    std::optional<std::uint32_t> max_rate;
};

// Is told what was delivered. `oldest_ns`: when the first of the events was published.
class DeliveryListener {
public:
    virtual ~DeliveryListener() = default;
    virtual void delivered(const Client& client, std::uint64_t events, std::size_t bytes, std::uint64_t oldest_ns) = 0;
    virtual void coalesced(std::uint64_t events) = 0;
    virtual void missed(const Client& client, std::uint64_t events) = 0;
};

class Hub {
public:
    Hub(Journal& journal, Latest& latest, Feed& feed, const Encoders& encoders, std::size_t message_bytes, DeliveryListener& listener)
        : journal_(journal),
          latest_(latest),
          feed_(feed),
          encoders_(encoders),
          message_bytes_(message_bytes),
          listener_(listener),
          filters_(journal),
          batcher_(journal) {}
    Hub(const Hub&) = delete;
    Hub& operator=(const Hub&) = delete;

    // Adds patterns to those of a client, and from the first time on brings it what matches. The answer is to be sent before anything
    // else. Patterns must be valid. Throws swarmbus::Error if the bus refuses; then nothing has changed.
    SubscribedMessage subscribe(Client& client, const Subscription& wanted, Clock::time_point now);
    SubscribedMessage unsubscribe(Client& client, const Patterns& patterns, Clock::time_point now);
    // The client is about to be gone.
    void forget(Client& client, Clock::time_point now);

    // Something was appended to the journal, or time has passed: sends what is due.
    void pump(Clock::time_point now);
    // The socket of a client takes something again.
    void writable(Client& client, Clock::time_point now);
    // When pump() should be called if nothing else happens; nothing: not needed.
    std::optional<Clock::time_point> next_due() const;
    // Whether pump() was ended by its own limits and should be called again at once.
    bool has_more() const noexcept { return has_more_; }
    // Whether an event that comes now may be sent at once, not only when somebody's time or socket says so.
    bool is_anyone_eager() const noexcept { return is_anyone_eager_; }

    // Sends all that clients that gather are waiting for.
    void flush(Clock::time_point now);

    // A part of what is known of the last events, from `walk` on: about as much as a message takes. True if there is more.
    bool snapshot_part(Latest::Walk& walk, const Filter& filter, Format format, std::vector<std::string>& events);
    bool is_complete(const Filter& filter) const;

    const Journal& journal() const noexcept { return journal_; }
    Filters& filters() noexcept { return filters_; }

private:
    // A message that others who are at the same place get, too.
    struct Shared {
        std::shared_ptr<const Filter> filter;
        MessageForm* form = nullptr;
        std::uint64_t from = 0, last = 0;
        bool coalesce = false;
        std::uint32_t most = 0;
        OutgoingMessage message;
        Batch::Kind kind = Batch::Kind::none;
        std::uint64_t events = 0, coalesced = 0, oldest_ns = 0;
        std::uint64_t to = 0, passed = 0;  // how far it takes a client
    };

    ResetReason find_reset(const Patterns& patterns, Cursor since) const;
    SubscribedMessage answer(const Client& client) const;
    void deliver(Client& client, Clock::time_point now);
    bool deliver_one(Client& client, Clock::time_point now);
    bool has_all(const Client& client) const noexcept;
    void send_snapshot_part(Client& client, Clock::time_point now);
    const Shared& message_for(Client& client, std::uint32_t events);
    void build(Shared& shared, Client& client, std::uint32_t events);
    bool is_due(Client& client, Clock::time_point now);
    void arm(Client& client);
    void disarm(Client& client) noexcept;
    void wait_until(Client& client, Clock::time_point due);
    void stop_waiting(Client& client) noexcept;
    void set_filter(Client& client, Patterns patterns);
    void send(Client& client, OutgoingMessage& message, Clock::time_point now);

    Journal& journal_;
    Latest& latest_;
    Feed& feed_;
    const Encoders encoders_;
    const std::size_t message_bytes_;
    DeliveryListener& listener_;
    Filters filters_;
    Batcher batcher_;
    std::vector<Client*> armed_;                               // want to be looked at when something comes
    std::set<std::pair<Clock::time_point, Client*>> waiting_;  // gather, by when that ends
    std::array<Shared, 4> shared_;
    std::size_t next_shared_ = 0;
    OutgoingMessage outgoing_;
    bool has_more_ = false, is_anyone_eager_ = false;
};

}  // namespace swarmbus::gateway
