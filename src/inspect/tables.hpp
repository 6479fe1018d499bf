// A bus looked at from outside: mapped without write access, nothing joined, nothing changed.
#pragma once

#include <boost/interprocess/mapped_region.hpp>
#include <boost/interprocess/shared_memory_object.hpp>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "src/inbox/ring.hpp"
#include "src/life/participant.hpp"
#include "src/segment/layout.h"
#include "src/segment/segment.hpp"

namespace swarmbus::core {

class BusTables {
public:
    // Throws as opening does.
    explicit BusTables(const std::string& name);

    int fd() const noexcept { return file_.get_mapping_handle().handle; }
    const swb_l_header& plan() const noexcept { return plan_; }

    // Copies: the entries may change meanwhile, which is harmless for a report.
    swb_l_header header() const noexcept { return copy<swb_l_header>(0, 0); }
    swb_l_participant participant(std::uint32_t i) const noexcept { return copy<swb_l_participant>(plan_.participants_at, i); }
    swb_l_writer writer(std::uint32_t i) const noexcept { return copy<swb_l_writer>(plan_.writers_at, i); }
    swb_l_subscriber subscriber(std::uint32_t i) const noexcept { return copy<swb_l_subscriber>(plan_.subscribers_at, i); }
    swb_l_inbox inbox(std::uint32_t i) const noexcept { return copy<swb_l_inbox>(plan_.lines_at, i); }

    Condition condition(std::uint32_t participant) const noexcept;
    std::uint32_t living_participants() const noexcept;

private:
    template <typename Entry>
    Entry copy(std::uint64_t table, std::uint32_t i) const noexcept {
        Entry entry;
        std::memcpy(&entry, static_cast<const std::byte*>(region_.get_address()) + table + i * sizeof(Entry), sizeof entry);
        return entry;
    }

    boost::interprocess::shared_memory_object file_;
    boost::interprocess::mapped_region region_;
    swb_l_header plan_{};
    dev_t device_ = 0;
    ino_t inode_ = 0;
};

// The block of an inbox, mapped without write access. Only of one that is in use: reading a block that
// was given back would take memory again.
class BlockView {
public:
    BlockView(const BusTables& tables, std::uint32_t inbox);  // throws SWB_ERR_SYSTEM
    ~BlockView();
    BlockView(const BlockView&) = delete;
    BlockView& operator=(const BlockView&) = delete;

    bool sound() const noexcept { return base_ != nullptr; }
    std::vector<std::string> patterns() const;
    // Claims and states may be loaded through it, nothing else.
    Ring ring() const noexcept;

private:
    swb_l_subscriber entry_;
    std::uint32_t slot_bytes_;
    mutable swb_l_inbox lines_;
    std::byte* base_ = nullptr;
};

}  // namespace swarmbus::core
