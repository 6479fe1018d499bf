// The directory beside a bus's file: the sockets its readers are woken by, the arenas of its
// publishers. Made when first needed, for whoever may use the bus.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "src/segment/segment.hpp"

namespace swarmbus::core {

// A participant's arenas are numbered, and so are the owners of its place: no name comes twice.
struct ArenaName {
    std::uint16_t participant = 0;
    std::uint16_t serial = 0;
    std::uint32_t generation = 0;
    friend bool operator==(const ArenaName&, const ArenaName&) = default;
};

// Allocates nothing: rung by publishers, and by swb_stop(), in signal handlers too.
using SocketPath = std::array<char, 108>;
SocketPath wake_socket_path(const Segment& segment, std::uint32_t inbox, std::uint64_t gate_generation) noexcept;
std::string arena_path(const Segment& segment, const ArenaName& arena);
std::string arena_path(std::uint64_t bus_id, const ArenaName& arena);

// Makes the directory if there is none. Throws SWB_ERR_SYSTEM.
void make_companion_directory(const Segment& segment);
// The access that the bus's file grants, for a file made there. Throws SWB_ERR_SYSTEM.
void share_like_bus(const Segment& segment, const std::string& path, bool directory);

// What arenas there are.
std::vector<ArenaName> list_arenas(const Segment& segment);
std::vector<ArenaName> list_arenas(std::uint64_t bus_id);

// The directory and all in it.
void remove_companion_directory(std::uint64_t bus_id) noexcept;

// Our own directories beside files that are gone: of buses that were unlinked under running processes.
std::vector<std::string> list_orphaned_companions();
void remove_orphaned_companions() noexcept;

}  // namespace swarmbus::core
