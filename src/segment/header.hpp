// Recognising the file of a bus, before anything of it is mapped.
#pragma once

#include <cstdint>
#include <string>

#include "src/error.hpp"
#include "src/segment/layout.h"

namespace swarmbus::core {

// The plan of the bus in this file. Throws unless the file is a whole bus of this layout:
// SWB_ERR_NOT_A_BUS, SWB_ERR_LAYOUT, SWB_ERR_SYSTEM.
swb_l_header read_header(int fd, const std::string& name);

// What open() of the bus's file failed with, in words.
Error open_error(const std::string& name, int error_number);

// Identifies the running kernel; zeros if it can't be read.
void read_boot_id(std::uint8_t (&id)[16]) noexcept;

}  // namespace swarmbus::core
