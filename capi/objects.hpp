// What the opaque handles of the C interface are.
#pragma once

#include <memory>

#include "capi/swarmbus.h"
#include "src/bus/connection.hpp"

struct swb_bus {
    std::shared_ptr<swarmbus::core::Connection> connection;

    // A call by this bus's handle of now. It may be closed and freed meanwhile by another thread, which waits for
    // the handle's own calls and nothing else.
    template <typename Call>
    swb_result call(Call&& call) {
        if (!connection->reattaches()) [[likely]]
            return call(connection->handle());
        const std::shared_ptr<swarmbus::core::Connection> hold = connection;
        return hold->with_handle(call);
    }
};

struct swb_publisher {
    swarmbus::core::BoundType type;
};
