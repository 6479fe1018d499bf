// Looking at buses from outside: read-only, without taking part.
#pragma once

#include <string>

#include "capi/swarmbus.h"

namespace swarmbus::core {

// Throws SWB_ERR_NO_BUS, SWB_ERR_NOT_A_BUS, SWB_ERR_LAYOUT, SWB_ERR_PERMISSION, SWB_ERR_SYSTEM.
swb_info look_at_bus(const std::string& name);

// Unlinks the file of a bus. Throws SWB_ERR_IN_USE when a process is attached, unless forced.
void remove_bus(const std::string& name, bool force);

}  // namespace swarmbus::core
