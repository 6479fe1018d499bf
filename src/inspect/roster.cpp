#include "src/inspect/roster.hpp"

#include <algorithm>
#include <optional>
#include <thread>

#include "src/inbox/loss.hpp"
#include "src/life/cancellation.hpp"
#include "src/life/process.hpp"
#include "src/segment/bus_file.hpp"
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

// Nothing if nobody has that place.
std::optional<RosterEntry> read_entry(const BusTables& tables, std::uint32_t place) {
    const swb_l_participant found = tables.participant(place);
    RosterEntry entry;
    entry.condition = tables.condition(place, found);
    if (entry.condition == Condition::free) return std::nullopt;
    entry.index = place;
    entry.generation = generation_of(found.state);
    entry.pid = found.pid;
    entry.joined_ns = found.joined_ns;
    entry.name.assign(found.name, std::find(found.name, found.name + sizeof found.name, '\0'));
    entry.stopped = entry.condition == Condition::alive && process_is_stopped({found.pid, found.start_ticks, found.pid_namespace});
    std::vector<std::string> patterns;
    for (std::uint32_t inbox = 0; inbox < tables.plan().max_subscribers; ++inbox) {
        const std::uint32_t status = Gate{tables.inbox(inbox).gate}.status();
        const swb_l_subscriber owner = tables.subscriber(inbox);
        if ((status == SWB_GATE_ACTIVE || status == SWB_GATE_DEAD) && owner.participant == place &&
            owner.participant_generation == entry.generation) {
            add_inbox(entry, tables, inbox, patterns);
        }
    }
    for (std::uint32_t id = 1; id < SWB_WRITERS; ++id) {
        const Lease lease{tables.writer(id).lease};
        if (!lease.free() && lease.participant() == place && lease.participant_generation() == entry.generation) ++entry.writers;
    }
    for (const std::string& pattern : patterns) entry.patterns += (entry.patterns.empty() ? "" : " ") + pattern;
    return entry;
}

}  // namespace

std::vector<RosterEntry> read_roster(const BusTables& tables) {
    std::vector<RosterEntry> roster;
    for (std::uint32_t i = 0; i < tables.plan().max_participants; ++i) {
        if (auto entry = read_entry(tables, i)) roster.push_back(std::move(*entry));
    }
    return roster;
}

std::vector<RosterEntry> look_at_roster(const std::string& name) {
    const HoldCancellation hold;
    check_bus_name(name);
    const BusTables tables(name);
    std::vector<RosterEntry> roster = read_roster(tables);
    const auto alive = [](const RosterEntry& entry) { return entry.condition == Condition::alive; };
    if (std::all_of(roster.begin(), roster.end(), alive)) return roster;
    std::this_thread::sleep_for(kSecondLookAfter);
    std::erase_if(roster, [&](RosterEntry& entry) {
        if (alive(entry)) return false;
        auto again = read_entry(tables, entry.index);
        if (!again || again->generation != entry.generation) return true;
        entry = std::move(*again);
        return false;
    });
    return roster;
}

}  // namespace swarmbus::core
