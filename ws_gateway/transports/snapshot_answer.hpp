// An answer of HTTP with a snapshot in it. It is made part by part as the socket takes it: whoever asks for much and does not read, costs
// little.
#pragma once

#include <memory>
#include <string>

#include "ws_gateway/delivery/hub.hpp"
#include "ws_gateway/server/lws.hpp"
#include "ws_gateway/transports/transport.hpp"

namespace swarmbus::gateway {

class SnapshotAnswer {
public:
    // What a snapshot holds, and the JSON that stands in front of its events and behind them.
    struct Parts {
        std::shared_ptr<const Filter> filter;
        Latest::Walk walk;
        std::string before, after;
    };
    // `headers` end with a line's end each.
    SnapshotAnswer(Hub& hub, lws* wsi, Parts parts, std::string_view headers);

    // Sends what the socket takes now, and asks to be called when it takes more. False: all has left, or the connection is broken.
    bool send();

private:
    void begin_chunk();
    bool end_chunk();

    Hub& hub_;
    lws* const wsi_;
    Parts parts_;
    OutgoingMessage outgoing_;
    std::size_t chunk_begin_ = 0;
    bool is_chunked_ = true, is_first_ = true, is_all_made_ = false;
};

}  // namespace swarmbus::gateway
