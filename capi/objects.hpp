// What the opaque handles of the C interface are.
#pragma once

#include <memory>

#include "capi/swarmbus.h"
#include "src/bus/connection.hpp"

struct swb_bus {
    std::shared_ptr<swarmbus::core::Connection> connection;
};

struct swb_publisher {
    swarmbus::core::BoundType type;
};
