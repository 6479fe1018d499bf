#include "src/life/reaper.hpp"

#include <algorithm>

#include "src/arena/orphans.hpp"
#include "src/inbox/settle_dead.hpp"
#include "src/life/inbox_table.hpp"
#include "src/types/registrations.hpp"
#include "src/waking/doorbell.hpp"
#include "src/waking/wake.hpp"
#include "src/words/inbox_words.hpp"
#include "src/words/table_words.hpp"

namespace swarmbus::core {
namespace {

// What is to become of what somebody owns.
enum class Fate { stays, expelled, gone };

// A copy whose state is the same before and behind the rest.
swb_l_participant copy_of(Segment& segment, std::uint32_t index) noexcept {
    swb_l_participant& entry = segment.participant(index);
    swb_l_participant copy = entry;
    copy.state = words::load_published(entry.state);
    return copy;
}

bool departed(Condition condition, const swb_l_participant& entry) noexcept {
    return condition == Condition::gone || condition == Condition::left ||
           (condition == Condition::lockless && status_of(entry.state) == SWB_PARTICIPANT_ALIVE);
}

Fate fate_in(Condition condition) noexcept {
    switch (condition) {
    case Condition::free:
    case Condition::alive: return Fate::stays;
    case Condition::lockless: return Fate::expelled;
    case Condition::left:
    case Condition::gone: break;
    }
    return Fate::gone;
}

// Left by a reaper that died between expelling an owner and ending its inboxes.
bool any_inbox_of_expelled(Segment& segment) noexcept {
    for (std::uint32_t i = 0; i < segment.plan().max_subscribers; ++i) {
        if (words::load_gate(segment.inbox(i)).status() != SWB_GATE_ACTIVE) continue;
        const swb_l_subscriber& entry = segment.subscriber(i);
        if (entry.participant >= segment.plan().max_participants) continue;
        const std::uint64_t state = words::load_published(segment.participant(entry.participant).state);
        if (status_of(state) == SWB_PARTICIPANT_EXPELLED && generation_of(state) == entry.participant_generation) return true;
    }
    return false;
}

class Reaping {
public:
    explicit Reaping(Segment& segment) : segment_(segment), entries_(segment.plan().max_participants), fates_(entries_.size()) {
        for (std::uint32_t i = 0; i < entries_.size(); ++i) entries_[i] = copy_of(segment, i);
    }

    // True if anybody but `self` has departed.
    bool judge(std::uint32_t self) noexcept {
        const BusFile file = segment_.file();
        bool any = any_inbox_of_expelled(segment_);
        for (std::uint32_t i = 0; i < entries_.size(); ++i) {
            if (i == self) continue;
            const Condition condition = condition_of(file, i, entries_[i]);
            any = any || departed(condition, entries_[i]);
            fates_[i] = fate_in(condition);
        }
        return any;
    }
    void condemn(std::uint32_t participant) noexcept { fates_[participant] = Fate::gone; }

    std::vector<Departed> carry_out(ControlLock::Guard& guard) {
        guard.mark_dirty();
        expel();
        end_inboxes();
        release_writers();
        give_back_quiescent(segment_);
        if (anybody_died()) free_unregistered(segment_);
        give_places_back();
        guard.mark_clean();
        return std::move(told_);
    }

private:
    // First: one that lives and takes its lock again meanwhile must find out, or keep all it has.
    void expel() {
        for (std::uint32_t i = 0; i < entries_.size(); ++i) {
            std::uint64_t& state = entries_[i].state;
            if (fates_[i] != Fate::expelled || status_of(state) != SWB_PARTICIPANT_ALIVE) continue;
            Departed departed = describe(i, true);
            const std::uint64_t expelled = participant_state(generation_of(state), SWB_PARTICIPANT_EXPELLED);
            if (words::replace_published(segment_.participant(i).state, state, expelled)) {
                state = expelled;
                told_.push_back(std::move(departed));
            } else {
                fates_[i] = Fate::stays;  // it has left meanwhile: the next time
            }
        }
    }

    // In this order: an owner's place is given back last, so that a reaper that is killed before it
    // leaves all there for the next.
    void end_inboxes() noexcept {
        for (std::uint32_t i = 0; i < segment_.plan().max_subscribers; ++i) {
            const std::uint32_t status = words::load_gate(segment_.inbox(i)).status();
            if (status != SWB_GATE_ACTIVE && status != SWB_GATE_DEAD) continue;
            const swb_l_subscriber& entry = segment_.subscriber(i);
            const Fate fate = fate_of(entry.participant, entry.participant_generation);
            if (fate == Fate::gone) {
                remove_doorbell(segment_, i, words::load_gate(segment_.inbox(i)).generation());
                end_inbox(segment_, i, SWB_GATE_FREED);
            }
            if (fate == Fate::expelled && status == SWB_GATE_ACTIVE) end_inbox(segment_, i, SWB_GATE_DEAD);
        }
    }

    void release_writers() {
        const std::uint32_t end = words::end_of_writers(segment_.header());
        for (std::uint32_t id = 1; id < end; ++id) {
            swb_l_writer& line = segment_.writer(id);
            const Lease lease = words::load_lease(line);
            if (lease.free() || fate_of(lease.participant(), lease.participant_generation()) != Fate::gone) continue;
            leave_inboxes(id, line);
            words::leave_publish(line);
            words::replace_lease(line, lease, Lease::of(lease.number(), 0, 0));
        }
    }

    // And did not leave: it may have been about to register a schema.
    bool anybody_died() const noexcept {
        for (std::uint32_t i = 0; i < entries_.size(); ++i) {
            if (fates_[i] == Fate::gone && status_of(entries_[i].state) != SWB_PARTICIPANT_LEFT) return true;
        }
        return false;
    }

    void give_places_back() {
        for (std::uint32_t i = 0; i < entries_.size(); ++i) {
            const std::uint64_t state = entries_[i].state;
            if (fates_[i] != Fate::gone) continue;
            if (status_of(state) == SWB_PARTICIPANT_ALIVE) told_.push_back(describe(i, false));
            words::replace_published(segment_.participant(i).state, state, participant_state(generation_of(state), SWB_PARTICIPANT_FREE));
        }
    }

    // An owner that has no place any more is one whose reaper was killed, or a closed handle.
    Fate fate_of(std::uint32_t index, std::uint32_t generation) const noexcept {
        if (index >= entries_.size()) return Fate::stays;  // a damaged entry
        const std::uint64_t state = entries_[index].state;
        if (generation_of(state) != generation || status_of(state) == SWB_PARTICIPANT_FREE) return Fate::gone;
        return fates_[index];
    }

    // What the writer was inside of when it died.
    void leave_inboxes(std::uint32_t id, swb_l_writer& line) {
        for (std::uint32_t place = 0; place < SWB_NAMED_INBOXES; ++place) {
            const std::uint32_t named = words::named_inbox(line, place);
            if (named == 0) continue;
            if (const std::uint32_t inbox = named - 1; inbox < segment_.plan().max_subscribers) {
                if (const auto ring = ring_of(segment_, inbox)) {
                    settle_dead(*ring, id);
                    wake_reader(segment_, inbox);  // it may have died before it did
                }
            }
            words::unname_inbox(line, place);
        }
    }

    Departed describe(std::uint32_t index, bool expelled) const {
        const swb_l_participant& entry = entries_[index];
        return {index, entry.pid, entry.joined_ns, expelled,
                std::string(entry.name, std::find(entry.name, entry.name + sizeof entry.name, '\0'))};
    }

    Segment& segment_;
    std::vector<swb_l_participant> entries_;
    std::vector<Fate> fates_;
    std::vector<Departed> told_;
};

}  // namespace

bool somebody_departed(Segment& segment, std::uint32_t self) noexcept {
    if (any_inbox_of_expelled(segment)) return true;
    const BusFile file = segment.file();
    for (std::uint32_t i = 0; i < segment.plan().max_participants; ++i) {
        if (i == self || status_of(words::load_published(segment.participant(i).state)) == SWB_PARTICIPANT_FREE) continue;
        const swb_l_participant entry = copy_of(segment, i);
        if (departed(condition_of(file, i, entry), entry)) return true;
    }
    return false;
}

std::vector<Departed> reap(Segment& segment, ControlLock::Guard& guard, std::uint32_t self) {
    Reaping reaping(segment);
    std::vector<Departed> departed;
    if (reaping.judge(self)) departed = reaping.carry_out(guard);
    remove_read_orphans(segment);
    return departed;
}

void give_place_back(Segment& segment, ControlLock::Guard& guard, std::uint32_t participant) {
    Reaping reaping(segment);
    reaping.condemn(participant);
    reaping.carry_out(guard);
    remove_read_orphans(segment);
}

}  // namespace swarmbus::core
