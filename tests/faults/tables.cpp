#include "tests/faults/tables.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "src/segment/layout.h"

namespace swarmbus::faults {
namespace {

// The whole file, of which only what is allocated may be looked at.
class Tables {
public:
    explicit Tables(const std::string& bus) : fd_(::open(("/dev/shm/swarmbus." + bus).c_str(), O_RDWR | O_CLOEXEC)) {
        struct stat st {};
        if (fd_ < 0 || ::fstat(fd_, &st) != 0) throw std::system_error(errno, std::generic_category(), "opening the file of the bus");
        allocated_ = static_cast<std::uint64_t>(st.st_blocks) * 512;
        bytes_ = static_cast<std::size_t>(st.st_size);
        void* at = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd_, 0);
        if (at == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mapping the file of the bus");
        base_ = static_cast<std::byte*>(at);
    }
    ~Tables() {
        ::munmap(base_, bytes_);
        ::close(fd_);
    }
    Tables(const Tables&) = delete;
    Tables& operator=(const Tables&) = delete;

    swb_l_header& header() const noexcept { return *reinterpret_cast<swb_l_header*>(base_); }
    template <typename Entry>
    const Entry& at(std::uint64_t table, std::uint64_t i) const noexcept {
        return reinterpret_cast<const Entry*>(base_ + table)[i];
    }
    std::uint64_t allocated() const noexcept { return allocated_; }

private:
    int fd_;
    std::uint64_t allocated_ = 0;
    std::size_t bytes_ = 0;
    std::byte* base_ = nullptr;
};

std::string count(const char* what, std::uint64_t is, std::uint64_t expected) {
    return is == expected ? "" : std::string(what) + ": " + std::to_string(is) + ", not " + std::to_string(expected);
}

std::string wrong_participants(const Tables& tables, std::uint32_t expected) {
    std::uint32_t taken = 0;
    for (std::uint32_t i = 0; i < tables.header().max_participants; ++i) {
        const auto state = tables.at<swb_l_participant>(tables.header().participants_at, i).state;
        if (static_cast<std::uint32_t>(state) != SWB_PARTICIPANT_FREE) ++taken;
    }
    return count("places taken", taken, expected);
}

std::string wrong_writers(const Tables& tables, std::uint32_t expected) {
    std::uint32_t leased = 0;
    for (std::uint32_t id = 1; id < SWB_WRITERS; ++id) {
        const auto& line = tables.at<swb_l_writer>(tables.header().writers_at, id);
        if ((line.lease >> 32 & 0xffff) != 0) ++leased;
        const std::string writer = "writer " + std::to_string(id);
        if (line.inside != 0) return writer + " is inside publish";
        for (const std::uint32_t named : line.in_inbox) {
            if (named != 0) return writer + " still names inbox " + std::to_string(named - 1);
        }
    }
    return count("writer ids leased", leased, expected);
}

// Claims of an inbox whose writers have all come to their end, or were reaped.
std::string wrong_claims(const Tables& tables, std::uint32_t inbox) {
    const swb_l_header& header = tables.header();
    const auto& entry = tables.at<swb_l_subscriber>(header.subscribers_at, inbox);
    const std::uint64_t claims = header.rings_at + entry.block_at + SWB_PAGE;
    for (std::uint32_t slot = 0; slot < entry.capacity; ++slot) {
        const auto claim = tables.at<std::uint64_t>(claims, slot);
        if ((claim & 0xf) != 0) {
            return "inbox " + std::to_string(inbox) + ": the claim of slot " + std::to_string(slot) + " has mark " +
                   std::to_string(claim & 0xf) + " (lap " + std::to_string(claim >> 16) + ", writer " + std::to_string(claim >> 4 & 0xfff) +
                   ")";
        }
    }
    return {};
}

// What registered schemas take: the pages of their entries, and of their bytes.
std::uint64_t memory_of_schemas(const Tables& tables) {
    const auto pages = [](std::uint64_t bytes) { return (bytes + SWB_PAGE - 1) / SWB_PAGE * SWB_PAGE; };
    const swb_l_header& header = tables.header();
    std::uint64_t end = 0;
    for (std::uint32_t i = 0; i < header.registrations; ++i) {
        const auto& entry = tables.at<swb_l_registration>(header.schemas_at, i);
        end = std::max(end, entry.at + entry.bytes);
    }
    return pages(header.registrations * sizeof(swb_l_registration)) + pages(end);
}

std::string wrong_inboxes(const Tables& tables, std::uint32_t expected) {
    const swb_l_header& header = tables.header();
    std::uint32_t active = 0;
    std::uint64_t memory = header.rings_at + memory_of_schemas(tables);
    for (std::uint32_t i = 0; i < header.max_subscribers; ++i) {
        const auto status = static_cast<std::uint32_t>(tables.at<swb_l_inbox>(header.lines_at, i).gate & 0xffff);
        if (status == SWB_GATE_FREE) continue;
        if (status != SWB_GATE_ACTIVE) return "inbox " + std::to_string(i) + " has status " + std::to_string(status);
        ++active;
        memory += tables.at<swb_l_subscriber>(header.subscribers_at, i).block_bytes;
        if (std::string claims = wrong_claims(tables, i); !claims.empty()) return claims;
    }
    std::string wrong = count("inboxes", active, expected);
    return wrong.empty() ? count("bytes of memory", tables.allocated(), memory) : wrong;
}

}  // namespace

std::string wrong_in_the_tables(const std::string& bus, const Expected& expected) {
    const Tables tables(bus);
    if ((tables.header().control & 1) != 0) return "the control data is dirty";
    std::string wrong = wrong_participants(tables, expected.participants);
    if (wrong.empty()) wrong = wrong_writers(tables, expected.writers);
    if (wrong.empty()) wrong = wrong_inboxes(tables, expected.inboxes);
    return wrong;
}

void let_anybody_probe(const std::string& bus) { __atomic_store_n(&Tables(bus).header().next_probe_ns, 0, __ATOMIC_RELAXED); }

void let_nobody_probe(const std::string& bus) {
    constexpr std::uint64_t kAsLongAsIsBelieved = 9'000'000'000;
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const std::uint64_t until =
        static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec) + kAsLongAsIsBelieved;
    __atomic_store_n(&Tables(bus).header().next_probe_ns, until, __ATOMIC_RELAXED);
}

}  // namespace swarmbus::faults
