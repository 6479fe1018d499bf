// The tables of a bus as they are in its file, read from outside: what is taken, by whomever, and
// where somebody stands in mid operation.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <system_error>

#include "src/segment/layout.h"
#include "src/words/position.hpp"
#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"

namespace swarmbus::test {

// Entries that are not free, and memory.
struct Taken {
    std::uint32_t participants = 0, inboxes = 0, writers = 0;
    std::uint64_t resident_bytes = 0;
    friend bool operator==(const Taken&, const Taken&) = default;
    friend std::ostream& operator<<(std::ostream& out, const Taken& t) {
        return out << t.participants << " participants, " << t.inboxes << " inboxes, " << t.writers << " writers, " << t.resident_bytes
                   << " bytes";
    }
};

class BusTables {
public:
    explicit BusTables(const BusName& name) : fd_(::open(name.path().c_str(), O_RDONLY | O_CLOEXEC)) {
        if (fd_ < 0 || ::pread(fd_, &plan_, sizeof plan_, 0) != sizeof plan_) fail("reading the file of the bus");
        // What is not allocated is mapped, and never looked at.
        void* at = ::mmap(nullptr, plan_.file_bytes, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd_, 0);
        if (at == MAP_FAILED) fail("mapping the bus");
        base_ = static_cast<std::byte*>(at);
    }
    ~BusTables() {
        ::munmap(base_, plan_.file_bytes);
        ::close(fd_);
    }
    BusTables(const BusTables&) = delete;
    BusTables& operator=(const BusTables&) = delete;

    const swb_l_header& plan() const noexcept { return plan_; }
    // As it is now: the compiler must not remember what it was.
    template <typename Word>
    static Word now(const Word& word) noexcept {
        return *static_cast<const volatile Word*>(&word);
    }
    const swb_l_header& header() const noexcept { return *reinterpret_cast<const swb_l_header*>(base_); }
    const swb_l_participant& participant(std::uint32_t i) const noexcept { return at<swb_l_participant>(plan_.participants_at, i); }
    const swb_l_writer& writer(std::uint32_t i) const noexcept { return at<swb_l_writer>(plan_.writers_at, i); }
    const swb_l_subscriber& subscriber(std::uint32_t i) const noexcept { return at<swb_l_subscriber>(plan_.subscribers_at, i); }
    const swb_l_inbox& inbox(std::uint32_t i) const noexcept { return at<swb_l_inbox>(plan_.lines_at, i); }

    std::uint32_t gate_status(std::uint32_t i) const noexcept { return core::Gate{now(inbox(i).gate)}.status(); }
    std::uint32_t participant_status(std::uint32_t i) const noexcept { return static_cast<std::uint32_t>(now(participant(i).state)); }
    // The place of a process; the last one, if it has several.
    std::optional<std::uint32_t> place_of(pid_t pid) const noexcept {
        for (std::uint32_t i = plan_.max_participants; i-- > 0;) {
            if (participant_status(i) != SWB_PARTICIPANT_FREE && now(participant(i).pid) == static_cast<std::uint32_t>(pid)) return i;
        }
        return std::nullopt;
    }
    // The first open inbox of a process.
    std::optional<std::uint32_t> inbox_of(pid_t pid) const noexcept {
        const auto place = place_of(pid);
        for (std::uint32_t i = 0; place && i < plan_.max_subscribers; ++i) {
            const std::uint32_t status = gate_status(i);
            if ((status == SWB_GATE_ACTIVE || status == SWB_GATE_DEAD) && now(subscriber(i).participant) == *place) return i;
        }
        return std::nullopt;
    }

    // The words of a position of an open inbox.
    core::Claim claim(std::uint32_t inbox, std::uint64_t position) const noexcept {
        return {now(claims_of(inbox)[position & (subscriber(inbox).capacity - 1)])};
    }
    core::State state(std::uint32_t inbox, std::uint64_t position) const noexcept {
        const std::uint32_t capacity = subscriber(inbox).capacity;
        const auto* slots = reinterpret_cast<const std::byte*>(claims_of(inbox) + capacity);
        return {now(*reinterpret_cast<const std::uint64_t*>(slots + (position & (capacity - 1)) * plan_.slot_bytes))};
    }
    // Claims that no writer is ever going to finish if nobody settles them.
    std::uint32_t unsettled_claims(std::uint32_t inbox) const noexcept {
        std::uint32_t count = 0;
        for (std::uint32_t i = 0; i < subscriber(inbox).capacity; ++i) {
            const core::Claim c = claim(inbox, i);
            if (c.writer() != 0 && (c.mark() != core::Mark::owned || state(inbox, i).lap() != c.lap())) ++count;
        }
        return count;
    }

    Taken taken() const {
        Taken taken;
        for (std::uint32_t i = 0; i < plan_.max_participants; ++i) taken.participants += participant_status(i) != SWB_PARTICIPANT_FREE;
        for (std::uint32_t i = 0; i < plan_.max_subscribers; ++i) taken.inboxes += gate_status(i) != SWB_GATE_FREE;
        for (std::uint32_t i = 1; i < SWB_WRITERS; ++i) taken.writers += !core::Lease{now(writer(i).lease)}.free();
        struct stat st {};
        if (::fstat(fd_, &st) == 0) taken.resident_bytes = static_cast<std::uint64_t>(st.st_blocks) * 512;
        return taken;
    }

private:
    [[noreturn]] static void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }
    template <typename Entry>
    const Entry& at(std::uint64_t table, std::uint32_t i) const noexcept {
        return reinterpret_cast<const Entry*>(base_ + table)[i];
    }
    const std::uint64_t* claims_of(std::uint32_t inbox) const noexcept {
        return reinterpret_cast<const std::uint64_t*>(base_ + plan_.rings_at + subscriber(inbox).block_at + SWB_PATTERN_AREA_BYTES);
    }

    int fd_;
    swb_l_header plan_{};
    std::byte* base_ = nullptr;
};

}  // namespace swarmbus::test
