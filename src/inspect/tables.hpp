// A bus looked at from outside: nothing joined, nothing changed, no memory taken. The tables are mapped without write access.
#pragma once

#include <boost/interprocess/mapped_region.hpp>
#include <boost/interprocess/shared_memory_object.hpp>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "src/inbox/ring.hpp"
#include "src/life/participant.hpp"
#include "src/segment/layout.h"
#include "src/segment/segment.hpp"

namespace swarmbus::core {

// An inbox as it was when it was read: its words, its claims, and of each slot what comes before a payload.
class RingCopy {
public:
    Ring ring() noexcept { return {&words_, claims_.data(), slots_.data(), static_cast<std::uint32_t>(claims_.size()), slot_bytes_}; }

private:
    friend class BusTables;
    swb_l_inbox words_{};
    std::vector<std::uint64_t> claims_;
    std::vector<std::byte> slots_;
    std::uint32_t slot_bytes_ = 0;
};

// Copies are torn in time: somebody who leaves may look dead. What is not as it should be is told only if it is there
// again after this.
inline constexpr std::chrono::milliseconds kSecondLookAfter{100};

class BusTables {
public:
    // Throws as opening does.
    explicit BusTables(const std::string& name);

    int fd() const noexcept { return file_.get_mapping_handle().handle; }
    BusFile file() const noexcept { return {fd(), device_, inode_}; }
    const swb_l_header& plan() const noexcept { return plan_; }

    // Copies: the entries may change meanwhile, which is harmless for a report.
    swb_l_header header() const noexcept { return copy<swb_l_header>(0, 0); }
    swb_l_participant participant(std::uint32_t i) const noexcept { return copy<swb_l_participant>(plan_.participants_at, i); }
    swb_l_writer writer(std::uint32_t i) const noexcept { return copy<swb_l_writer>(plan_.writers_at, i); }
    swb_l_subscriber subscriber(std::uint32_t i) const noexcept { return copy<swb_l_subscriber>(plan_.subscribers_at, i); }
    swb_l_inbox inbox(std::uint32_t i) const noexcept { return copy<swb_l_inbox>(plan_.lines_at, i); }

    // Of an inbox in use. Its block may be given back meanwhile: then, and where its entry is damaged, there is nothing.
    std::vector<std::string> patterns(std::uint32_t inbox) const;  // throw SWB_ERR_SYSTEM
    RingCopy ring(std::uint32_t inbox) const;

    Condition condition(std::uint32_t i, const swb_l_participant& copy) const noexcept { return condition_of(file(), i, copy); }
    std::uint32_t living_participants() const noexcept;

private:
    template <typename Entry>
    Entry copy(std::uint64_t table, std::uint32_t i) const noexcept {
        Entry entry;
        std::memcpy(&entry, static_cast<const std::byte*>(region_.get_address()) + table + i * sizeof(Entry), sizeof entry);
        return entry;
    }

    std::optional<std::uint64_t> block_of(const swb_l_subscriber& entry) const noexcept;
    // Not through a mapping: to read a hole there takes memory, and is SIGBUS where none is left.
    void read_file(std::uint64_t at, void* to, std::size_t bytes) const;

    boost::interprocess::shared_memory_object file_;
    boost::interprocess::mapped_region region_;
    swb_l_header plan_{};
    dev_t device_ = 0;
    ino_t inode_ = 0;
};

}  // namespace swarmbus::core
