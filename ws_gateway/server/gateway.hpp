// All of the gateway but its sockets: the bus, the journal, and what clients may do with them. One thread.
#pragma once

#include <swarmbus/swarmbus.hpp>

#include <optional>
#include <string>

#include "ws_gateway/bus/feed.hpp"
#include "ws_gateway/delivery/hub.hpp"
#include "ws_gateway/journal/journal.hpp"
#include "ws_gateway/journal/latest.hpp"
#include "ws_gateway/messages/event_json.hpp"
#include "ws_gateway/messages/flat_messages.hpp"
#include "ws_gateway/messages/json_messages.hpp"
#include "ws_gateway/messages/sse_messages.hpp"
#include "ws_gateway/observe/metrics.hpp"
#include "ws_gateway/server/commands.hpp"
#include "ws_gateway/server/options.hpp"

namespace swarmbus::gateway {

class Gateway {
public:
    // Joins the bus. Throws swarmbus::Error.
    explicit Gateway(const GatewayOptions& options);

    // Takes what the bus has, and sends what is due.
    struct Turn {
        bool bus_has_more;  // to be taken at once
        bool may_rest;      // events come, but everybody they could be sent to gathers them
    };
    Turn turn(Clock::time_point now);
    // When turn() should be called if nothing happens.
    std::optional<Clock::time_point> next_due() const { return hub_.next_due(); }
    // Readable when turn() has something to take; nothing before anybody asked for anything.
    std::optional<int> descriptor();
    // Whether descriptor() may be another one since the last call.
    bool has_new_descriptor() noexcept { return feed_.has_new_descriptor(); }
    // Once a second.
    void tick(Clock::time_point now);

    // These throw CommandError.
    SubscribedMessage subscribe(Client& client, const SubscribeCommand& command, Clock::time_point now);
    PublishedMessage publish(const PublishCommand& command);

    // Counts what a client asked for wrongly.
    void note_refused(const CommandError& error);

    HelloMessage hello() const;
    // What the bus last said when it could not be read; empty while all is well.
    const std::string& bus_trouble() const noexcept { return bus_trouble_; }
    // That has lasted so long that clients are to be told.
    bool is_bus_gone(Clock::time_point now) const noexcept;
    // Nothing while a client has not got all of its snapshot: it can't come back to that.
    std::optional<Cursor> cursor_of(const Client& client) const;

    const GatewayOptions& options() const noexcept { return options_; }
    Bus& bus() noexcept { return bus_; }
    Hub& hub() noexcept { return hub_; }
    Journal& journal() noexcept { return journal_; }
    Latest& latest() noexcept { return latest_; }
    Feed& feed() noexcept { return feed_; }
    Metrics& metrics() noexcept { return metrics_; }
    MessageForm& form(Format format) noexcept;

private:
    static Options bus_options(const GatewayOptions& options);
    bool payload_to_json(const swb_event& event, std::string& out);
    bool has_schema(const std::string& type);
    void note_bus_trouble(const Error& error);
    void note_bus_is_well();

    const GatewayOptions& options_;
    Bus bus_;
    JsonEvents json_events_;
    SseEvents sse_events_;
    FlatEvents flat_events_;
    const Encoders encoders_{&json_events_, &sse_events_, &flat_events_};
    Journal journal_;
    Latest latest_;
    Feed feed_;
    Metrics metrics_;
    Hub hub_;
    JsonMessages json_messages_;
    SseMessages sse_messages_;
    FlatMessages flat_messages_;
    std::string bus_trouble_;
    Clock::time_point bus_trouble_since_{};
};

}  // namespace swarmbus::gateway
