#include "src/segment/inspect.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/interprocess/mapped_region.hpp>
#include <boost/interprocess/shared_memory_object.hpp>
#include <cerrno>
#include <cstring>
#include <optional>

#include "src/error.hpp"
#include "src/life/cancellation.hpp"
#include "src/life/file_lock.hpp"
#include "src/segment/bus_file.hpp"
#include "src/segment/companion.hpp"
#include "src/segment/header.hpp"
#include "src/words/position.hpp"

namespace swarmbus::core {
namespace {

// The tables of a bus, mapped without write access.
class ReadOnlyTables {
public:
    explicit ReadOnlyTables(const std::string& name) {
        namespace ipc = boost::interprocess;
        struct stat st {};
        if (::lstat(bus_path(name).c_str(), &st) == 0 && !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)) {  // opening a FIFO would wait
            if (S_ISDIR(st.st_mode)) throw open_error(name, EISDIR);
            throw Error(SWB_ERR_NOT_A_BUS, bus_path(name) + " is not a regular file; remove it or choose another name");
        }
        try {
            file_ = ipc::shared_memory_object(ipc::open_only, bus_file_name(name).c_str(), ipc::read_only);
            header_ = read_header(fd(), name);
            region_ = ipc::mapped_region(file_, ipc::read_only, 0, header_.rings_at);
        } catch (const ipc::interprocess_exception& e) {
            throw open_error(name, e.get_native_error());
        }
    }

    int fd() const noexcept { return file_.get_mapping_handle().handle; }
    const swb_l_header& plan() const noexcept { return header_; }
    // A copy: the entry may change meanwhile, which is harmless for a report.
    template <typename Entry>
    Entry read(std::uint64_t table, std::uint32_t i) const noexcept {
        Entry entry;
        std::memcpy(&entry, static_cast<const std::byte*>(region_.get_address()) + table + i * sizeof(Entry), sizeof entry);
        return entry;
    }
    swb_l_header header() const noexcept { return read<swb_l_header>(0, 0); }

    std::uint32_t living_participants() const noexcept {
        std::uint32_t living = 0;
        for (std::uint32_t i = 0; i < header_.max_participants; ++i) {
            const auto entry = read<swb_l_participant>(header_.participants_at, i);
            if (static_cast<std::uint32_t>(entry.state) == SWB_PARTICIPANT_ALIVE && lock_is_held(fd(), SWB_LOCK_PARTICIPANTS + i)) ++living;
        }
        return living;
    }

private:
    boost::interprocess::shared_memory_object file_;
    boost::interprocess::mapped_region region_;
    swb_l_header header_{};
};

}  // namespace

swb_info look_at_bus(const std::string& name) {
    const HoldCancellation hold;
    check_bus_name(name);
    const ReadOnlyTables tables(name);
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
        if ((tables.read<swb_l_inbox>(plan.lines_at, i).gate & 0xffff) == SWB_GATE_ACTIVE) ++info.subscribers;
    }
    info.types = header.types_used;
    for (std::uint32_t i = 1; i < SWB_WRITERS; ++i) {
        if (!Lease{tables.read<swb_l_writer>(plan.writers_at, i).lease}.free()) ++info.writers;
    }
    info.ring_bytes = plan.ring_bytes;
    info.file_bytes = plan.file_bytes;
    struct stat st {};
    if (::fstat(tables.fd(), &st) == 0) info.resident_bytes = static_cast<std::uint64_t>(st.st_blocks) * 512;
    info.created_ns = header.created_ns;
    return info;
}

void remove_bus(const std::string& name, bool force) {
    const HoldCancellation hold;
    check_bus_name(name);
    std::optional<std::uint64_t> bus_id;
    try {
        const ReadOnlyTables tables(name);
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
