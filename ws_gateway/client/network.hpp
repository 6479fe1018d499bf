// The sockets of a client: one WebSocket to a gateway at a time, and one request by HTTP; libwebsockets under an event loop of their
// own. It does as it is told and tells what happens; when to connect is ConnectionState's.
//
// Threads: the one that made it.  Blocks: only turn(), and connect() and get() while a name is looked up.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "ws_gateway/client/ending.hpp"
#include "ws_gateway/client/gateway_url.hpp"
#include "ws_gateway/client/message.hpp"

namespace swarmbus::remote {

// The answer to a request. Status 0: there was none.
struct HttpAnswer {
    unsigned status = 0;
    std::string body;
};

class Network {
public:
    // Called from turn(), connect() and get().
    class Events {
    public:
        virtual ~Events() = default;
        // The gateway speaks WebSocket with us.
        virtual void opened() = 0;
        // Bytes came.
        virtual void heard() = 0;
        virtual void message(std::shared_ptr<const MessageBytes> message) = 0;
        // The WebSocket, or the attempt to open one, has ended by itself.
        virtual void ended(const Ending& ending) = 0;
        virtual void answered(HttpAnswer answer) = 0;
    };

    // `most_message_bytes`: a longer message ends the connection. Throws std::runtime_error if there can't be an event loop.
    Network(GatewayUrl url, std::string token, std::size_t most_message_bytes, Events& events);
    ~Network();
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;

    void connect();
    // Nothing more is told of this connection.
    void hang_up();
    // After opened(): when the socket takes it.
    void send(std::string message);
    void read(bool reading);

    // GET; the path begins with the gateway's "/v1/". A request that is under way is dropped.
    void get(const std::string& path);
    void drop_request();

    // Waits for the sockets, no longer than until then, and deals with what has come.
    void turn(std::chrono::steady_clock::time_point until);

private:
    class Implementation;
    const std::unique_ptr<Implementation> implementation_;
};

}  // namespace swarmbus::remote
