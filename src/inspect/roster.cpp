#include "src/inspect/roster.hpp"

#include <algorithm>

#include "src/inbox/loss.hpp"
#include "src/life/process.hpp"
#include "src/words/position.hpp"

namespace swarmbus::core {
namespace {

std::uint64_t evictions_of(const swb_l_inbox& lines) noexcept {
    return InboxReader::exact_evictions(lines.evictions, Head{lines.head}.evicted());
}

void add_inbox(RosterEntry& entry, const BusTables& tables, std::uint32_t inbox, std::vector<std::string>& patterns) {
    const swb_l_inbox lines = tables.inbox(inbox);
    ++entry.inboxes;
    const Position head = Head{lines.head}.at();
    entry.waiting += static_cast<std::uint64_t>(std::max<std::int64_t>(distance(lines.hint, head), 0));
    const std::uint64_t by[] = {evictions_of(lines), lines.dropped_full, lines.dropped_timeout, lines.dropped_self, lines.dropped_no_slot};
    for (std::size_t cause = 0; cause < std::size(by); ++cause) entry.losses[cause] += by[cause];
    for (std::string& pattern : tables.patterns(inbox)) {
        if (std::find(patterns.begin(), patterns.end(), pattern) == patterns.end()) patterns.push_back(std::move(pattern));
    }
}

}  // namespace

std::vector<RosterEntry> read_roster(const BusTables& tables) {
    std::vector<RosterEntry> roster;
    for (std::uint32_t i = 0; i < tables.plan().max_participants; ++i) {
        const swb_l_participant found = tables.participant(i);
        const std::uint32_t generation = generation_of(found.state);
        RosterEntry entry;
        entry.condition = tables.condition(i);
        if (entry.condition == Condition::free) continue;
        entry.index = i;
        entry.pid = found.pid;
        entry.joined_ns = found.joined_ns;
        entry.name.assign(found.name, std::find(found.name, found.name + sizeof found.name, '\0'));
        entry.stopped = entry.condition == Condition::alive && process_is_stopped({found.pid, found.start_ticks, found.pid_namespace});
        std::vector<std::string> patterns;
        for (std::uint32_t inbox = 0; inbox < tables.plan().max_subscribers; ++inbox) {
            const std::uint32_t status = Gate{tables.inbox(inbox).gate}.status();
            const swb_l_subscriber owner = tables.subscriber(inbox);
            if ((status == SWB_GATE_ACTIVE || status == SWB_GATE_DEAD) && owner.participant == i &&
                owner.participant_generation == generation) {
                add_inbox(entry, tables, inbox, patterns);
            }
        }
        for (std::uint32_t id = 1; id < SWB_WRITERS; ++id) {
            const Lease lease{tables.writer(id).lease};
            if (!lease.free() && lease.participant() == i && lease.participant_generation() == generation) ++entry.writers;
        }
        for (const std::string& pattern : patterns) entry.patterns += (entry.patterns.empty() ? "" : " ") + pattern;
        roster.push_back(std::move(entry));
    }
    return roster;
}

}  // namespace swarmbus::core
