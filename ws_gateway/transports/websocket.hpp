// Clients by WebSocket, in either subprotocol.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "ws_gateway/server/access.hpp"
#include "ws_gateway/server/gateway.hpp"
#include "ws_gateway/server/lws.hpp"
#include "ws_gateway/transports/transport.hpp"

namespace swarmbus::gateway {

// Why a connection is closed: docs/gateway-protocol.md.
enum class CloseCode : std::uint16_t {
    restart = 1012,
    too_large = 1009,
    fault = 1011,
    bad_message = 4000,
    bad_token = 4001,
    bus_is_gone = 4100,
    unanswered_heartbeat = 4101,
    no_token_in_time = 4102,
};

class WebSocketTransport final : public Transport {
public:
    WebSocketTransport(Gateway& gateway, const Access& access) : gateway_(gateway), access_(access) {}
    ~WebSocketTransport() override;

    // A connection, as libwebsockets tells of it.
    struct Session;
    Session* open(lws* wsi, MessageForm& form, bool has_token);
    // False: close it.
    void receive(Session& session, std::string_view bytes, bool is_last_of_message);
    bool writable(Session& session);
    void heard(Session& session) noexcept;
    void close(Session& session);

    // Heartbeats, and those who don't answer them.
    void tick(Clock::time_point now);

    std::string_view name() const noexcept override { return "websocket"; }
    bool is_writable(const Client& client) const override;
    void send(Client& client, OutgoingMessage& message) override;
    void heartbeat(Client& client, std::optional<Cursor> cursor) override;
    void error(Client& client, const ErrorMessage& error) override;
    void shut_down(Client& client, const ByeMessage& bye) override;
    // The bus is gone.
    void end_for_bus(Client& client, ByeMessage bye);

private:
    void handle(Session& session, std::string_view message);
    void welcome(Session& session);
    template <typename Write>
    void say(Session& session, Write&& write);
    void say_goodbye(Session& session, const ByeMessage& bye, CloseCode code, std::string_view reason);
    void end(Session& session, CloseCode code, std::string_view reason);

    Gateway& gateway_;
    const Access& access_;
    OutgoingMessage outgoing_;
};

}  // namespace swarmbus::gateway
