// What the doctor found, for comparing with what is expected; and a bus to be examined.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process_reaping.hpp"

namespace swarmbus::test {

struct Found {
    std::string what, who, detail, advice;
    std::uint32_t pid;
    bool repaired, other_bus;
};

struct Examination {
    swb_result result = SWB_OK;
    std::vector<Found> found;

    // For comparing with what is expected, and to be shown.
    std::vector<std::string> whats() const {
        std::vector<std::string> whats;
        for (const Found& finding : found) whats.push_back(finding.what);
        return whats;
    }
};

inline Examination examine_all(const std::string& name, bool repair = false) {
    Examination examination;
    const auto add = [](const swb_finding* f, void* list) {
        static_cast<std::vector<Found>*>(list)->push_back(
            {f->what, f->who, f->detail, f->advice, f->pid, f->repaired != 0, f->other_bus != 0});
    };
    examination.result = swb_doctor(name.c_str(), repair ? 1 : 0, add, &examination.found);
    return examination;
}

// Without what tests that run beside this one have left.
inline Examination examine(const std::string& name, bool repair = false) {
    Examination examination = examine_all(name, repair);
    std::erase_if(examination.found, [](const Found& finding) { return finding.other_bus; });
    return examination;
}

inline std::vector<std::string> whats_of(const std::string& name) { return examine(name).whats(); }

using Whats = std::vector<std::string>;

// A bus, and its file to write into what a race or a death would leave there.
class Doctor : public testing::Test {
protected:
    ~Doctor() override { ::close(file_); }

    template <typename Entry>
    void write_entry(std::uint64_t table, std::uint32_t i, const Entry& entry) const {
        require(::pwrite(file_, &entry, sizeof entry, static_cast<off_t>(table + i * sizeof entry)) == sizeof entry, "pwrite");
    }
    // A writer that stands within publish to that inbox, and whose process has been gone for long.
    void leave_writer_inside(std::uint32_t inbox) const {
        swb_l_writer writer{};
        writer.lease = core::Lease::of(1, tables_.plan().max_participants, 1).raw;
        writer.inside = 1;
        writer.in_inbox[0] = inbox + 1;
        write_entry(tables_.plan().writers_at, SWB_WRITERS - 1, writer);
    }
    // All pages of the file but those of zeros, by where they lie.
    std::map<off_t, std::string> contents() const {
        std::map<off_t, std::string> contents;
        const std::string zeros(SWB_PAGE, '\0');
        std::string page = zeros;
        for (off_t at = ::lseek(file_, 0, SEEK_DATA); at >= 0; at = ::lseek(file_, at + SWB_PAGE, SEEK_DATA)) {
            require(::pread(file_, page.data(), page.size(), at) == SWB_PAGE, "pread");
            if (page != zeros) contents[at] = page;
        }
        return contents;
    }
    std::vector<std::string> patterns_by_pid(std::uint32_t pid) const {
        std::pair<std::uint32_t, std::vector<std::string>> asked{pid, {}};
        const auto add = [](const swb_participant* p, void* user) {
            auto& [of, patterns] = *static_cast<decltype(asked)*>(user);
            if (p->pid == of) patterns.emplace_back(p->patterns);
        };
        require(swb_participants(name_.c_str(), add, &asked) == SWB_OK, swb_last_error());
        return asked.second;
    }

    const BusName name_;
    Bus bus_{name_, small_inbox()};
    const BusTables tables_{name_};
    const int file_ = ::open(name_.path().c_str(), O_RDWR | O_CLOEXEC);
    const std::uint32_t pid_ = static_cast<std::uint32_t>(::getpid());
};

}  // namespace swarmbus::test
