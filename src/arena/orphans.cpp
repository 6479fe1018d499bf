#include "src/arena/orphans.hpp"

#include <unistd.h>

#include <algorithm>
#include <optional>

#include "src/inbox/slot.hpp"
#include "src/life/inbox_table.hpp"
#include "src/life/participant.hpp"
#include "src/words/table_words.hpp"

namespace swarmbus::core {
namespace {

// The arena of the event in a slot.
std::optional<ArenaName> arena_of(const Ring& ring, Position p) {
    IncomingEvent event;
    if (!decode(ring.slot(p), ring.slot_bytes, event) || event.large == nullptr) return std::nullopt;
    const swb_l_large large = place_of_large(event);
    return ArenaName{large.participant, large.serial, large.participant_generation};
}

}  // namespace

// Head first, then holding: what head has passed meanwhile is covered by that.
void drop_what_is_unread(std::vector<ArenaName>& unread, const Ring& ring) {
    const Position head = words::load_head(*ring.words).at();
    for (std::uint32_t i = 0; i < ring.capacity; ++i) {
        const Position p = position(head + i);
        const State state = words::load_state(ring.state(p));
        if (!state.ready_at(ring.lap(p))) continue;
        const auto arena = arena_of(ring, p);
        if (!(words::load_state(ring.state(p)) == state)) continue;  // written anew, by somebody who lives
        if (arena) std::erase(unread, *arena);
    }
    // Whatever the state says: a publisher that passes a held slot a lap later stores SKIP there.
    const Holding holding = words::load_holding(*ring.words);
    for (std::uint32_t i = 0; i < std::min<std::uint32_t>(holding.count(), ring.capacity); ++i) {
        if (const auto arena = arena_of(ring, position(holding.first() + i))) std::erase(unread, *arena);
    }
}

std::vector<ArenaName> list_orphaned_arenas(Segment& segment) {
    std::vector<ArenaName> arenas = list_arenas(segment);
    std::erase_if(arenas, [&](const ArenaName& arena) {
        if (arena.participant >= segment.plan().max_participants) return false;
        const std::uint64_t state = words::load_published(segment.participant(arena.participant).state);
        const bool may_publish = status_of(state) == SWB_PARTICIPANT_ALIVE || status_of(state) == SWB_PARTICIPANT_EXPELLED;
        return may_publish && generation_of(state) == arena.generation;
    });
    return arenas;
}

void remove_read_orphans(Segment& segment) {
    std::vector<ArenaName> read = list_orphaned_arenas(segment);
    for (std::uint32_t i = 0; i < segment.plan().max_subscribers && !read.empty(); ++i) {
        const std::uint32_t status = words::load_gate(segment.inbox(i)).status();
        if (status != SWB_GATE_ACTIVE && status != SWB_GATE_DEAD) continue;
        if (const auto ring = ring_of(segment, i)) drop_what_is_unread(read, *ring);
    }
    for (const ArenaName& arena : read) ::unlink(arena_path(segment, arena).c_str());
}

}  // namespace swarmbus::core
