#include "src/inspect/tables.hpp"

#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "src/error.hpp"
#include "src/segment/bus_file.hpp"
#include "src/segment/header.hpp"
#include "src/segment/limits.hpp"

namespace swarmbus::core {

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

Condition BusTables::condition(std::uint32_t i) const noexcept { return condition_of({fd(), device_, inode_}, i, participant(i)); }

std::uint32_t BusTables::living_participants() const noexcept {
    std::uint32_t living = 0;
    for (std::uint32_t i = 0; i < plan_.max_participants; ++i) living += condition(i) == Condition::alive ? 1 : 0;
    return living;
}

BlockView::BlockView(const BusTables& tables, std::uint32_t inbox)
    : entry_(tables.subscriber(inbox)), slot_bytes_(tables.plan().slot_bytes), lines_(tables.inbox(inbox)) {
    const std::uint64_t room = tables.plan().ring_bytes;
    const bool sound = valid_capacity(entry_.capacity) && entry_.block_bytes == block_bytes(entry_.capacity, slot_bytes_) &&
                       entry_.block_at % SWB_PAGE == 0 && entry_.block_bytes <= room && entry_.block_at <= room - entry_.block_bytes;
    if (!sound) return;
    const auto at = static_cast<off_t>(tables.plan().rings_at + entry_.block_at);
    void* base = ::mmap(nullptr, entry_.block_bytes, PROT_READ, MAP_SHARED, tables.fd(), at);
    if (base == MAP_FAILED) throw system_error(SWB_ERR_SYSTEM, "looking at an inbox (mmap)", errno);
    base_ = static_cast<std::byte*>(base);
}

BlockView::~BlockView() {
    if (base_ != nullptr) ::munmap(base_, entry_.block_bytes);
}

std::vector<std::string> BlockView::patterns() const {
    std::vector<std::string> patterns;
    if (!sound()) return patterns;
    const std::uint32_t copy = entry_.patterns_version & 1;
    const std::uint32_t bytes = std::min(entry_.pattern_bytes[copy], SWB_PATTERN_COPY_BYTES);
    const std::string text(reinterpret_cast<const char*>(base_) + copy * SWB_PATTERN_COPY_BYTES, bytes);
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\0', at), text.size());
        if (end > at) patterns.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return patterns;
}

Ring BlockView::ring() const noexcept { return Ring::in_block(lines_, base_, entry_.capacity, slot_bytes_); }

}  // namespace swarmbus::core
