// The file of a bus, created or opened, and mapped.
//
// The tables are mapped readable and writable; the region of rings is mapped without access and
// opened block by block, so that a host that locks its memory does not allocate all of it.
#pragma once

#include <atomic>
#include <boost/interprocess/mapped_region.hpp>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <sys/types.h>
#include <unordered_map>

#include "src/segment/layout.h"
#include "src/segment/limits.hpp"

namespace swarmbus::core {

enum class OpenMode { open_or_create, open_only, create_only };

// An owned file descriptor.
class Descriptor {
public:
    explicit Descriptor(int fd = -1) noexcept : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
    Descriptor& operator=(Descriptor&& other) noexcept;
    ~Descriptor();
    int get() const noexcept { return fd_; }
    int release() noexcept;

private:
    int fd_;
};

// open(2), but never as one of the standard streams, which a host may have closed: what it writes there must
// not land in a file of the bus. Below 0 and errno if that can't be had.
Descriptor open_above_standard_streams(const std::string& path, int flags, mode_t mode = 0) noexcept;

// The file of a bus, as its locks and other processes' mappings name it.
struct BusFile {
    int fd;
    dev_t device;
    ino_t inode;
};

class Segment {
public:
    // permissions: of the file, when it is created. Throws Error: SWB_ERR_NO_BUS, SWB_ERR_EXISTS,
    // SWB_ERR_PERMISSION, SWB_ERR_NO_SPACE, SWB_ERR_NOT_A_BUS, SWB_ERR_LAYOUT, SWB_ERR_LIMITS,
    // SWB_ERR_SYSTEM.
    static std::unique_ptr<Segment> open(const std::string& name, OpenMode mode, const Limits& asked, mode_t permissions);

    ~Segment();
    Segment(const Segment&) = delete;
    Segment& operator=(const Segment&) = delete;

    // The descriptor that carries this process's locks. -1 when it is not ours any more: a host that closes
    // descriptors it does not know may have closed it, and the number come back for another file, or for this one
    // as another segment opened it.
    int fd() const noexcept;
    // Opens the file anew by the bus's name. False: that leads to another file, or nowhere, or another thread is at it.
    bool open_descriptor_again() noexcept;
    // Whether the bus's name still leads to this file.
    bool is_named() const noexcept;
    // In a forked child: the description is shared with the parent, so close and never unlock.
    void close_descriptor() noexcept;
    // For who has left the bus but can't unmap it, since a thread may be about to look whether it is still there:
    // that finds zeros. The file is let go.
    void forget() noexcept;
    const std::string& name() const noexcept { return name_; }
    dev_t device() const noexcept { return device_; }
    ino_t inode() const noexcept { return inode_; }
    mode_t permissions() const noexcept { return permissions_; }
    BusFile file() const noexcept { return {fd(), device_, inode_}; }

    swb_l_header& header() const noexcept { return *reinterpret_cast<swb_l_header*>(base_); }
    // What the header says that never changes, checked when it was opened: a damaged header can't
    // send anybody out of the mapping.
    const swb_l_header& plan() const noexcept { return plan_; }
    swb_l_participant& participant(std::uint32_t i) const noexcept { return at<swb_l_participant>(plan_.participants_at, i); }
    swb_l_writer& writer(std::uint32_t i) const noexcept { return at<swb_l_writer>(plan_.writers_at, i); }
    swb_l_type& type(std::uint32_t i) const noexcept { return at<swb_l_type>(plan_.types_at, i); }
    swb_l_route& route(std::uint32_t type) const noexcept {
        return *reinterpret_cast<swb_l_route*>(base_ + plan_.routes_at + type * plan_.route_stride);
    }
    swb_l_subscriber& subscriber(std::uint32_t i) const noexcept { return at<swb_l_subscriber>(plan_.subscribers_at, i); }
    swb_l_inbox& inbox(std::uint32_t i) const noexcept { return at<swb_l_inbox>(plan_.lines_at, i); }

    // Whether a block may lie there: pages within the ring region.
    bool holds_block(std::uint64_t block_at, std::uint64_t bytes) const noexcept;

    // Makes a block accessible to this process and returns its address; nullptr if it lies outside
    // the ring region (a damaged entry). Throws SWB_ERR_SYSTEM when the kernel refuses (this process
    // has too many mappings, say). Blocks must be allocated. Thread-safe.
    std::byte* open_block(std::uint64_t block_at, std::uint64_t bytes);

    // Takes memory for a block, all zeros. Throws SWB_ERR_NO_SPACE with what is needed and what
    // there is, and then nothing stays taken.
    void allocate_block(std::uint64_t block_at, std::uint64_t bytes);
    // Gives the memory of a block back to the system.
    void release_block(std::uint64_t block_at, std::uint64_t bytes) noexcept;

private:
    Segment(std::string name, Descriptor fd, const swb_l_header& plan);
    static void create(const std::string& name, const Limits& limits, mode_t permissions);
    static std::unique_ptr<Segment> open_existing(const std::string& name, const Limits& asked);
    template <typename Entry>
    Entry& at(std::uint64_t table, std::uint32_t i) const noexcept {
        return reinterpret_cast<Entry*>(base_ + table)[i];
    }

    const std::string name_, path_;
    void keep_descriptor(int fd) noexcept;

    std::atomic<int> fd_{-1};
    std::atomic<off_t> fd_mark_{0};  // the offset of our descriptor, which nothing else moves
    std::atomic_flag reopening_;
    swb_l_header plan_;
    boost::interprocess::mapped_region tables_;
    std::byte* base_ = nullptr;
    std::byte* rings_ = nullptr;
    dev_t device_ = 0;
    ino_t inode_ = 0;
    mode_t permissions_ = 0;
    std::mutex opened_mutex_;
    std::unordered_map<std::uint64_t, std::uint64_t> opened_;  // block_at -> bytes
};

}  // namespace swarmbus::core
