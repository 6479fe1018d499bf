#include "src/inspect/doctor.hpp"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <thread>
#include <utility>

#include "src/arena/orphans.hpp"
#include "src/bus/presence.hpp"
#include "src/inbox/settle_dead.hpp"
#include "src/inspect/roster.hpp"
#include "src/life/attachment.hpp"
#include "src/life/cancellation.hpp"
#include "src/life/file_lock.hpp"
#include "src/life/process.hpp"
#include "src/segment/bus_file.hpp"
#include "src/segment/companion.hpp"

namespace swarmbus::core {
namespace {

constexpr std::uint64_t kReapPatienceNs = 2'000'000'000;

class Examination {
public:
    explicit Examination(const std::string& name) : name_(name), tables_(name) {}

    std::vector<Finding> findings() {
        for (const RosterEntry& entry : read_roster(tables_)) participant(entry);
        for (std::uint32_t id = 1; id < SWB_WRITERS; ++id) writer(id);
        control();
        orphans();
        return std::move(found_);
    }

private:
    void add(Finding finding) { found_.push_back(std::move(finding)); }

    static std::string title(const std::string& name, std::uint32_t pid) { return name + " (pid " + std::to_string(pid) + ")"; }
    static std::string title(const swb_l_participant& entry) {
        return title({entry.name, std::find(entry.name, entry.name + sizeof entry.name, '\0')}, entry.pid);
    }
    static std::string count(std::uint64_t n, const char* one, const char* many) { return std::to_string(n) + " " + (n == 1 ? one : many); }

    void participant(const RosterEntry& entry) {
        const std::string who = title(entry.name, entry.pid);
        const std::string has = count(entry.inboxes, "inbox", "inboxes") + ", " + count(entry.writers, "writer id", "writer ids");
        if (entry.condition == Condition::gone) {
            add({"dead participant", who, "it still has " + has, "whoever joins next frees that; --repair does now", entry.pid,
                 entry.generation});
        } else if (entry.condition == Condition::left) {
            add({"participant that left", who, "it still has " + has + ": the control lock was not to be had",
                 "whoever joins next frees that; --repair does now", entry.pid, entry.generation});
        } else if (entry.condition == Condition::lockless) {
            add({"participant without its lock", who, "its program closed the library's descriptors; it has " + has,
                 "it answers SWB_ERR_GONE until it opens the bus again; end it if it does not", entry.pid, entry.generation});
        } else if (entry.stopped) {
            add({"stopped participant", who, count(entry.waiting, "event waits", "events wait") + " in its inboxes; it has " + has,
                 "kill -CONT " + std::to_string(entry.pid) + " lets it go on", entry.pid, entry.generation});
        }
    }

    // A writer within publish whose process is dead or stopped. One that was expelled is not reaped before it is dead.
    void writer(std::uint32_t id) {
        const swb_l_writer line = tables_.writer(id);
        const Lease lease{line.lease};
        if (lease.free() || lease.participant() >= tables_.plan().max_participants) return;
        const swb_l_participant owner = tables_.participant(lease.participant());
        const bool same = generation_of(owner.state) == lease.participant_generation();
        const Condition condition = same ? tables_.condition(lease.participant(), owner) : Condition::gone;
        const bool lives = condition == Condition::alive || condition == Condition::lockless;
        const bool stopped = lives && process_is_stopped({owner.pid, owner.start_ticks, owner.pid_namespace});
        if (lives && !stopped) return;
        std::uint32_t inboxes = 0, claims = 0;
        for (const std::uint32_t named : line.in_inbox) {
            if (named == 0 || named > tables_.plan().max_subscribers || !in_use(named - 1)) continue;
            ++inboxes;
            claims += count_unsettled(tables_.ring(named - 1).ring(), id);
        }
        if (inboxes == 0 && same) return;  // told with its participant
        const std::string who = same ? title(owner) : "nobody that has a place";
        const std::string detail = "writer id " + std::to_string(id) + " is within publish to " + count(inboxes, "inbox", "inboxes") +
                                   ", " + count(claims, "slot is", "slots are") + " unfinished";
        if (stopped) {
            add({"stopped publisher", who, detail, "its readers pass it; kill -CONT " + std::to_string(owner.pid) + " lets it finish",
                 owner.pid, line.lease});
        } else {
            add({"stuck claim", who, detail, "whoever joins next settles it; --repair does now", owner.pid, line.lease});
        }
    }

    // An operation that begins or ends beside the probe has changed the word.
    void control() {
        const swb_l_header before = tables_.header();
        const bool held = lock_is_held(tables_.fd(), SWB_LOCK_CONTROL);
        const swb_l_header header = tables_.header();
        if (held) return holder(header.control_holder_pid);
        if ((header.control & 1) == 0 || header.control != before.control) return;
        add({"unfinished control operation", "pid " + std::to_string(header.control_holder_pid), "its process died in the middle of it",
             "the next one finishes it; --repair does now", header.control_holder_pid, header.control});
    }

    // Of the control lock. It has no place yet if it was stopped while it joined.
    void holder(std::uint32_t pid) {
        const BusFile file = tables_.file();
        if (!pid_is_stopped(pid) || !process_maps_file(pid, file.device, file.inode)) return;
        std::string who = "pid " + std::to_string(pid);
        for (std::uint32_t i = 0; i < tables_.plan().max_participants; ++i) {
            const swb_l_participant entry = tables_.participant(i);
            const bool same = status_of(entry.state) != SWB_PARTICIPANT_FREE && entry.pid == pid;
            if (same && process_is_stopped({entry.pid, entry.start_ticks, entry.pid_namespace})) who = title(entry);
        }
        add({"stopped holder of the control lock", who, "nobody can join, leave or subscribe; publishing goes on",
             "kill -CONT " + std::to_string(pid) + " lets it go on", pid});
    }

    bool has_owner(const ArenaName& arena) const {
        if (arena.participant >= tables_.plan().max_participants) return false;
        const swb_l_participant owner = tables_.participant(arena.participant);
        const Condition condition = tables_.condition(arena.participant, owner);
        return generation_of(owner.state) == arena.generation && (condition == Condition::alive || condition == Condition::lockless);
    }

    // As long as somebody has something to read there it is as it should be.
    void orphans() {
        std::vector<ArenaName> arenas = list_arenas(tables_.plan().bus_id);
        std::erase_if(arenas, [this](const ArenaName& arena) { return has_owner(arena); });
        for (std::uint32_t inbox = 0; inbox < tables_.plan().max_subscribers && !arenas.empty(); ++inbox) {
            if (in_use(inbox)) drop_what_is_unread(arenas, tables_.ring(inbox).ring());
        }
        for (const ArenaName& arena : arenas) {
            add({"orphaned arena", arena_path(tables_.plan().bus_id, arena), "its publisher is gone, and nobody has anything to read there",
                 "whoever joins next removes it; --repair does now"});
        }
    }

    bool in_use(std::uint32_t inbox) const {
        const std::uint32_t status = Gate{tables_.inbox(inbox).gate}.status();
        return status == SWB_GATE_ACTIVE || status == SWB_GATE_DEAD;
    }

    const std::string& name_;
    BusTables tables_;
    std::vector<Finding> found_;
};

// Processes that use a bus of that name which was removed: its file is mapped, and has no name.
void add_users_of_removed(std::vector<Finding>& found, const std::string& name) {
    const std::string mapped = bus_path(name) + " (deleted)\n";
    std::error_code none;
    for (auto it = std::filesystem::directory_iterator("/proc", none); !none && it != std::filesystem::directory_iterator();
         it.increment(none)) {
        const std::string pid = it->path().filename();
        if (pid.empty() || !std::all_of(pid.begin(), pid.end(), [](unsigned char c) { return std::isdigit(c) != 0; })) continue;
        FILE* maps = std::fopen((it->path() / "maps").c_str(), "re");
        if (maps == nullptr) continue;
        char line[512];
        bool uses = false;
        while (!uses && std::fgets(line, sizeof line, maps) != nullptr) uses = std::string_view(line).ends_with(mapped);
        std::fclose(maps);
        if (!uses) continue;
        found.push_back({"user of a removed bus", "pid " + pid, "the file " + bus_path(name) + " was unlinked under it",
                         "its calls fail; end it and start it again, or let it open the bus anew",
                         static_cast<std::uint32_t>(std::stoul(pid))});
    }
}

void add_directories_of_removed(std::vector<Finding>& found) {
    for (const std::string& path : list_orphaned_companions()) {
        Finding finding{"directory of a removed bus", path, "sockets and arenas that nobody can reach any more",
                        "the next bus that is created removes it; --repair does now"};
        finding.other_bus = true;
        found.push_back(std::move(finding));
    }
}

bool same(const Finding& a, const Finding& b) { return a.what == b.what && a.who == b.who && a.generation == b.generation; }

void keep_those_in(const std::vector<Finding>& others, std::vector<Finding>& findings) {
    std::erase_if(findings, [&](const Finding& finding) {
        return std::none_of(others.begin(), others.end(), [&](const Finding& other) { return same(finding, other); });
    });
}

Diagnosis look(const std::string& name) {
    Diagnosis diagnosis;
    add_users_of_removed(diagnosis.findings, name);
    try {
        const std::vector<Finding> inside = Examination(name).findings();
        diagnosis.findings.insert(diagnosis.findings.end(), inside.begin(), inside.end());
    } catch (const Error& e) {
        diagnosis.error = e;
    }
    add_directories_of_removed(diagnosis.findings);
    return diagnosis;
}

bool of_this_bus(const Finding& finding) { return !finding.other_bus; }

}  // namespace

Diagnosis examine(const std::string& name) {
    const HoldCancellation hold;
    check_bus_name(name);
    Diagnosis diagnosis = look(name);
    if (!diagnosis.findings.empty()) {
        std::this_thread::sleep_for(kSecondLookAfter);
        const std::vector<Finding> before = std::exchange(diagnosis, look(name)).findings;
        keep_those_in(before, diagnosis.findings);
    }
    const bool no_bus = diagnosis.error && diagnosis.error->code() == SWB_ERR_NO_BUS;
    if (no_bus && std::any_of(diagnosis.findings.begin(), diagnosis.findings.end(), of_this_bus)) diagnosis.error.reset();
    return diagnosis;
}

Diagnosis repair(const std::string& name) {
    const HoldCancellation hold;
    Diagnosis diagnosis = examine(name);
    if (diagnosis.findings.empty()) return diagnosis;
    try {
        const std::shared_ptr<Attachment> attachment =
            Attachment::to({name, OpenMode::open_only, {}, 0600, "doctor-" + std::to_string(::getpid()), 0, Presence::of});
        attachment->reap(kReapPatienceNs);
    } catch (const Error& e) {
        if (e.code() != SWB_ERR_NO_BUS) diagnosis.error = e;
    }
    remove_abandoned_files();
    remove_orphaned_companions();
    const std::vector<Finding> left = examine(name).findings;
    for (Finding& finding : diagnosis.findings) {
        finding.repaired = std::none_of(left.begin(), left.end(), [&](const Finding& other) { return same(other, finding); });
    }
    return diagnosis;
}

}  // namespace swarmbus::core
