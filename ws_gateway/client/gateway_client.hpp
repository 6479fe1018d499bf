// A client of a gateway anywhere: stays connected, comes back by itself, and brings the events of the bus there to this process.
//
//     GatewayClient client({.url = parse_gateway_url("ws://10.0.0.7:7480"), .patterns = {"agent.*"}});
//     while (client.phase() != Phase::closed) {
//         client.turn(Clock::now() + 1s);
//         while (auto received = client.next()) ...
//     }
//
// docs/gateway-client.md says what it does when, and what it keeps in bounds.
//
// Ownership: the events that next() gives own the bytes they show.  Threads: the one that made it.  Errors: a gateway that is not
// there, or refuses, is a state (status()), no exception.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ws_gateway/client/connection_state.hpp"
#include "ws_gateway/client/conversation.hpp"
#include "ws_gateway/client/network.hpp"

namespace swarmbus::remote {

struct ClientOptions {
    GatewayUrl url;
    std::string token = {};                  // "": none
    std::vector<std::string> patterns = {};  // none: publishes only
    bool snapshot = false;                   // begin with the last event of each type and subject
    // A message of the gateway has one event or about 64 KiB of them; an event has at most 64 MiB.
    std::size_t most_message_bytes = (std::size_t{64} << 20) + (std::size_t{64} << 10);
    // What waits for next() is at most so much and one message; then reading stops, and the gateway keeps the rest.
    std::size_t most_queued_bytes = std::size_t{1} << 20;
    Timing timing = {};
    // Told each change of the state, from turn().
    std::function<void(const Status&)> on_state = {};
};

class GatewayClient final : private Network::Events {
public:
    explicit GatewayClient(ClientOptions options);

    // Waits until something has happened, no longer than until then, and deals with it.
    void turn(Clock::time_point until);
    // What came, in order.
    std::optional<Received> next();

    Phase phase() const noexcept { return state_.phase(); }
    Status status() const { return state_.status(Clock::now()); }
    // Where to resume: everything up to there has been given by next(), or is about to be.
    std::optional<Cursor> cursor() const noexcept { return conversation_.cursor(); }

    // Publishes; what became of it comes by next(), under the number that is returned. Only while it is live: else it throws
    // std::logic_error. Throws std::length_error for what is too large.
    std::int64_t publish(const Publication& publication);

    // Asks the gateway by HTTP, one question at a time; a second drops the first. The answer is there after some turn().
    void ask(const std::string& path);
    std::optional<HttpAnswer> take_answer();

private:
    void opened() override;
    void heard() override;
    void message(std::shared_ptr<const MessageBytes> message) override;
    void ended(const Ending& ending) override;
    void answered(HttpAnswer answer) override;

    void send_what_is_to_say();
    void tell_state();

    const ClientOptions options_;
    ConnectionState state_;
    Conversation conversation_;
    Network network_;
    Phase told_ = Phase::waiting;
    bool is_reading_ = true;
    std::optional<HttpAnswer> answer_;
};

}  // namespace swarmbus::remote
