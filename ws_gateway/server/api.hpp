// Requests that are answered at once.
#pragma once

#include "ws_gateway/server/gateway.hpp"
#include "ws_gateway/server/participants.hpp"
#include "ws_gateway/server/request.hpp"
#include "ws_gateway/transports/snapshot_answer.hpp"

namespace swarmbus::gateway {

class Api {
public:
    explicit Api(Gateway& gateway) : gateway_(gateway), participants_(gateway.options().bus) {}

    // 404 for paths that are not known, 405 for methods that are not. Who asks was let in already.
    Response answer(const Request& request);
    // The gateway is about to end: it is not ready any more.
    void shut_down() noexcept { shutting_down_ = true; }

    // Of GET /v1/state. Throws CommandError.
    SnapshotAnswer::Parts state(const Request& request);

private:
    Response answer_known(const Request& request);
    Response publish(const Request& request);
    Response types();
    Response schema(const Request& request);
    Response ready() const;

    Gateway& gateway_;
    Participants participants_;
    bool shutting_down_ = false;
};

}  // namespace swarmbus::gateway
