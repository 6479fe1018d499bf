#include "src/inspect/look.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "src/error.hpp"
#include "src/inspect/tables.hpp"
#include "src/life/cancellation.hpp"
#include "src/segment/bus_file.hpp"
#include "src/segment/companion.hpp"
#include "src/segment/header.hpp"
#include "src/words/position.hpp"

namespace swarmbus::core {

swb_info look_at_bus(const std::string& name) {
    const HoldCancellation hold;
    check_bus_name(name);
    const BusTables tables(name);
    const swb_l_header& plan = tables.plan();
    const swb_l_header header = tables.header();
    swb_info info{};
    info.layout_version = plan.version;
    info.max_participants = plan.max_participants;
    info.max_subscribers = plan.max_subscribers;
    info.max_types = plan.max_types;
    info.slot_bytes = plan.slot_bytes;
    info.default_capacity = plan.default_capacity;
    info.participants = tables.living_participants();
    for (std::uint32_t i = 0; i < plan.max_subscribers; ++i) {
        if ((tables.inbox(i).gate & 0xffff) == SWB_GATE_ACTIVE) ++info.subscribers;
    }
    info.types = header.types_used;
    for (std::uint32_t i = 1; i < SWB_WRITERS; ++i) {
        if (!Lease{tables.writer(i).lease}.free()) ++info.writers;
    }
    info.ring_bytes = plan.ring_bytes;
    info.file_bytes = plan.file_bytes;
    struct stat st {};
    constexpr std::uint64_t kBlock = 512;  // of st_blocks
    if (::fstat(tables.fd(), &st) == 0) info.resident_bytes = static_cast<std::uint64_t>(st.st_blocks) * kBlock;
    for (const ArenaName& arena : list_arenas(plan.bus_id)) {
        if (::stat(arena_path(plan.bus_id, arena).c_str(), &st) == 0)
            info.resident_bytes += static_cast<std::uint64_t>(st.st_blocks) * kBlock;
    }
    info.created_ns = header.created_ns;
    return info;
}

void remove_bus(const std::string& name, bool force) {
    const HoldCancellation hold;
    check_bus_name(name);
    std::optional<std::uint64_t> bus_id;
    try {
        const BusTables tables(name);
        bus_id = tables.plan().bus_id;
        const std::uint32_t living = force ? 0 : tables.living_participants();
        if (living > 0) {
            throw Error(SWB_ERR_IN_USE, "bus '" + name + "' is used by " + std::to_string(living) +
                                            (living == 1 ? " process" : " processes") +
                                            "; end them, or remove it from under them: swarmbus rm " + name + " --force");
        }
    } catch (const Error&) {
        if (!force) throw;  // forced, whatever has the name is removed
    }
    if (::unlink(bus_path(name).c_str()) != 0) throw open_error(name, errno);
    if (bus_id) remove_companion_directory(*bus_id);
}

}  // namespace swarmbus::core
