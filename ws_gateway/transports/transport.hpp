// A way to clients: WebSocket, Server-Sent Events, long-polling. They differ in how a message gets to a socket; what is sent, and
// when, is the hub's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>

#include "ws_gateway/delivery/client.hpp"

namespace swarmbus::gateway {

// A message that is about to be sent. In front of it is room for the transport's header.
class OutgoingMessage {
public:
    static constexpr std::size_t kHeadroom = 32;

    void clear() { bytes_.assign(kHeadroom, '\0'); }
    std::string& bytes() noexcept { return bytes_; }  // append to it
    std::size_t size() const noexcept { return bytes_.size() - kHeadroom; }
    char* data() noexcept { return bytes_.data() + kHeadroom; }

private:
    std::string bytes_ = std::string(kHeadroom, '\0');
};

class Transport {
public:
    virtual ~Transport() = default;
    virtual std::string_view name() const noexcept = 0;

    void connect(Client& client) { clients_.insert(&client); }
    virtual void disconnect(Client& client) { clients_.erase(&client); }
    const std::unordered_set<Client*>& clients() const noexcept { return clients_; }

    // Whether a message would go out at once. If not, the transport calls Hub::writable() when it would.
    virtual bool is_writable(const Client& client) const = 0;
    // Sends a message whole, or keeps what the socket does not take.
    virtual void send(Client& client, OutgoingMessage& message) = 0;
    // To all clients.
    void broadcast(OutgoingMessage& message) {
        for (Client* client : clients_) send(*client, message);
    }
    // Nothing was said for a while: says that it is there, and finds out whether the client is.
    virtual void heartbeat(Client& client, std::optional<Cursor> cursor) = 0;
    // Tells what went wrong.
    virtual void error(Client& client, const ErrorMessage& error) = 0;
    // Says goodbye and closes, when all that was sent has left.
    virtual void shut_down(Client& client, const ByeMessage& bye) = 0;

private:
    std::unordered_set<Client*> clients_;
};

}  // namespace swarmbus::gateway
