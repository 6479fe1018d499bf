#include "src/inspect/tables.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "src/error.hpp"
#include "src/segment/bus_file.hpp"
#include "src/segment/header.hpp"
#include "src/segment/limits.hpp"

namespace swarmbus::core {
namespace {

// No event's fields before its payload are longer: the header, the count of drops, type, source, subject, where a large payload is.
constexpr std::uint32_t kSlotFieldBytes =
    sizeof(swb_l_slot) + 8 + (SWB_NAME_BYTES + 8) + (SWB_SOURCE_BYTES + 8) + (SWB_NAME_BYTES + 8) + sizeof(swb_l_large);

}  // namespace

BusTables::BusTables(const std::string& name) {
    namespace ipc = boost::interprocess;
    struct stat st {};
    if (::lstat(bus_path(name).c_str(), &st) == 0 && !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)) {  // opening a FIFO would wait
        if (S_ISDIR(st.st_mode)) throw open_error(name, EISDIR);
        throw Error(SWB_ERR_NOT_A_BUS, bus_path(name) + " is not a regular file; remove it or choose another name");
    }
    try {
        file_ = ipc::shared_memory_object(ipc::open_only, bus_file_name(name).c_str(), ipc::read_only);
        plan_ = read_header(fd(), name);
        region_ = ipc::mapped_region(file_, ipc::read_only, 0, plan_.rings_at);
    } catch (const ipc::interprocess_exception& e) {
        throw open_error(name, e.get_native_error());
    }
    if (::fstat(fd(), &st) != 0) throw system_error(SWB_ERR_SYSTEM, "looking at " + bus_path(name), errno);
    device_ = st.st_dev;
    inode_ = st.st_ino;
}

std::uint32_t BusTables::living_participants() const noexcept {
    std::uint32_t living = 0;
    for (std::uint32_t i = 0; i < plan_.max_participants; ++i) living += condition(i, participant(i)) == Condition::alive ? 1 : 0;
    return living;
}

std::optional<std::uint64_t> BusTables::block_of(const swb_l_subscriber& entry) const noexcept {
    const std::uint64_t room = plan_.ring_bytes;
    const bool sound = valid_capacity(entry.capacity) && entry.block_bytes == block_bytes(entry.capacity, plan_.slot_bytes) &&
                       entry.block_at % SWB_PAGE == 0 && entry.block_bytes <= room && entry.block_at <= room - entry.block_bytes;
    return sound ? std::optional(plan_.rings_at + entry.block_at) : std::nullopt;
}

void BusTables::read_file(std::uint64_t at, void* to, std::size_t bytes) const {
    if (::pread(fd(), to, bytes, static_cast<off_t>(at)) < 0) throw system_error(SWB_ERR_SYSTEM, "looking at an inbox (pread)", errno);
}

std::vector<std::string> BusTables::patterns(std::uint32_t inbox) const {
    std::vector<std::string> patterns;
    const swb_l_subscriber entry = subscriber(inbox);
    const auto block = block_of(entry);
    if (!block) return patterns;
    const std::uint32_t copy = entry.patterns_version & 1;
    std::string text(std::min(entry.pattern_bytes[copy], SWB_PATTERN_COPY_BYTES), '\0');
    read_file(*block + copy * SWB_PATTERN_COPY_BYTES, text.data(), text.size());
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\0', at), text.size());
        if (end > at) patterns.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return patterns;
}

RingCopy BusTables::ring(std::uint32_t inbox) const {
    RingCopy copy;
    const swb_l_subscriber entry = subscriber(inbox);
    const auto block = block_of(entry);
    if (!block) return copy;
    copy.words_ = this->inbox(inbox);
    copy.slot_bytes_ = std::min(plan_.slot_bytes, kSlotFieldBytes);
    copy.slots_.resize(std::size_t{entry.capacity} * copy.slot_bytes_);
    copy.claims_.resize(entry.capacity);
    const std::uint64_t claims = *block + SWB_PATTERN_AREA_BYTES, slots = claims + copy.claims_.size() * sizeof(std::uint64_t);
    for (std::size_t i = 0; i < entry.capacity; ++i) {
        read_file(slots + i * plan_.slot_bytes, copy.slots_.data() + i * copy.slot_bytes_, copy.slot_bytes_);
    }
    read_file(claims, copy.claims_.data(), copy.claims_.size() * sizeof(std::uint64_t));
    return copy;
}

}  // namespace swarmbus::core
