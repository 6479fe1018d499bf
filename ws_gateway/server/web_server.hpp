// The gateway's sockets: HTTP and WebSockets on libwebsockets, in one event loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "ws_gateway/server/access.hpp"
#include "ws_gateway/server/gateway.hpp"

struct ev_loop;

namespace swarmbus::gateway {

class WebServer {
public:
    // Listens, as the gateway's options say. Throws std::runtime_error if it can't.
    WebServer(struct ev_loop* loop, Gateway& gateway, Access access);
    ~WebServer();
    WebServer(const WebServer&) = delete;
    WebServer& operator=(const WebServer&) = delete;

    // Where it listens, such as "127.0.0.1:7480".
    std::string address() const;
    // Brings what is due to the clients; called when the bus has something, and by the server's own timers.
    void turn();

    // Stops accepting, says goodbye to all, and has the loop end when they are gone, or after 4 s.
    void shut_down();
    // Throws what made the loop end, if something failed.
    void throw_if_failed() const;

private:
    class Implementation;
    std::unique_ptr<Implementation> implementation_;
};

}  // namespace swarmbus::gateway
