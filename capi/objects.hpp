// What the opaque handles of the C interface are.
#pragma once

#include <memory>

#include "capi/swarmbus.h"
#include "src/bus/handle.hpp"

struct swb_bus {
    std::shared_ptr<swarmbus::core::Handle> handle;
};

struct swb_publisher {
    std::shared_ptr<swarmbus::core::Handle> handle;
    std::shared_ptr<swarmbus::core::EventType> type;
};
