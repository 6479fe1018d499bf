// Names of buses and their files in /dev/shm.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace swarmbus::core {

inline constexpr std::string_view kSharedMemoryDirectory = "/dev/shm";
inline constexpr std::string_view kCompanionPrefix = "swarmbus-with.";

// Throws SWB_ERR_BUS_NAME naming the position of the fault. 1 to 64 bytes of [A-Za-z0-9._-], the
// first of them a letter or a digit.
void check_bus_name(std::string_view name);

// "swarmbus.NAME", as shm_open() takes it; the path is kSharedMemoryDirectory + "/" + that.
std::string bus_file_name(std::string_view name);
std::string bus_path(std::string_view name);

// A name for a bus or a companion directory under construction, unique over processes and namespaces:
// "swarmbus-new.…".
std::string temporary_file_name();

std::uint64_t random_number() noexcept;

// The directory of a bus's wake sockets and arenas; made when first needed. Named by the bus's id, so
// that a bus of the same name made later has another.
std::string companion_directory(std::uint64_t bus_id);
std::string companion_directory_prefix();

// Removes what was under construction when its creators died.
void remove_abandoned_files() noexcept;

// Names of all files that look like buses, sorted. Throws SWB_ERR_SYSTEM.
std::vector<std::string> list_bus_names();

}  // namespace swarmbus::core
