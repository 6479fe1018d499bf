// The way of an event, steps 2 to 4: read the route, write to each inbox, wake who sleeps.
//
// Commits to up to 16 inboxes share one fence; behind it come the looks at their claims and wake
// words. Full block inboxes are waited for after all others have the event.
#include <time.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "src/bus/writer.hpp"
#include "src/routing/routes.hpp"
#include "src/waking/futex.hpp"
#include "src/waking/wake.hpp"
#include "src/words/waking_words.hpp"

namespace swarmbus::core {
namespace {

constexpr std::uint64_t kLongestRoomSleepNs = 1'000'000;
constexpr std::uint64_t kLookEveryNs = 1'000'000'000;

bool routed(swb_l_route& route, std::uint32_t inbox) noexcept {
    return (words::load_route((&route.words[0])[inbox / 64]) >> (inbox % 64) & 1) != 0;
}

// How many inboxes ahead their lines are asked for.
constexpr std::uint32_t kPrefetchAhead = 2;
// How many slots ahead of the one just written.
constexpr Position kSlotsAhead = 2;
constexpr std::size_t kSlotPrefetchFrom = 64;

// Bits of a word of a route that stand for inboxes; those beyond the last one are damage.
std::uint64_t existing(std::uint64_t bits, std::uint32_t base, std::uint32_t inboxes) noexcept {
    if (base + 64 <= inboxes) [[likely]]
        return bits;
    return base >= inboxes ? 0 : bits & ((std::uint64_t{1} << (inboxes - base)) - 1);
}

}  // namespace

void Writer::prefetch_slot(const Target& target, Position p, std::size_t from, std::size_t payload_bytes) noexcept {
    const std::byte* slot = target.ring.slot(p);
    for (std::size_t line = from; line < sizeof(swb_l_slot) + payload_bytes; line += 64) prefetch_for_write(slot + line);
}

// Asks for the lines that publishing to this inbox will write: its words, the claim, and the slot
// but for its first line, which the reader polls and would take back.
void Writer::prefetch(std::uint32_t inbox, std::size_t payload_bytes) noexcept {
    swb_l_inbox& lines = attachment_->segment().inbox(inbox);
    prefetch_for_read(&lines.gate);
    prefetch_for_write(&lines.hint);
    const Target& target = targets_[inbox];
    if (target.ring.words == nullptr) return;
    prefetch_for_write(&target.ring.claim(target.next));
    prefetch_slot(target, target.next, kSlotPrefetchFrom, payload_bytes);
}

// Names the inbox, then looks whether it may be used. nullptr: nobody uses it, its owner has come since
// the route was read and does not ask for the type, or the event was dropped for it because its ring
// can't be reached; it is unnamed again.
inline Target* Writer::enter(std::uint32_t inbox, std::uint32_t place, const OutgoingEvent& event, Delivery& delivery) noexcept {
    swb_l_inbox& lines = attachment_->segment().inbox(inbox);
    words::name_inbox(*line_, place, inbox, fences_itself_);
    const Gate gate = words::load_gate(lines);
    Target& target = targets_[inbox];
    if (gate.status() == SWB_GATE_ACTIVE) [[likely]] {
        if (gate == target.gate) [[likely]]
            return &target;
        // A bit that was the last owner's: its reader would drop the event, but in a full inbox it would
        // cost another one, or count as a loss. An owner that this writer knows came before the route was read.
        if (event.type == SWB_TYPE_INLINE || routed(attachment_->segment().route(event.type), inbox)) {
            if (open_target(target, inbox, gate)) return &target;
            drop(inbox, LossCause::no_slot, delivery);
        }
    }
    leave(place);
    return nullptr;
}

// Claims, writes and commits. False: no slot, and why.
inline bool Writer::write(Target& target, const OutgoingEvent& event, Position& at, ClaimResult& result) noexcept {
    if (event.large != nullptr && !may_pin(target)) [[unlikely]] {
        result = ClaimResult::full;
        return false;
    }
    const Claimed claimed = claim(target, lease_.id, *attachment_);
    result = claimed.result;
    if (claimed.result != ClaimResult::claimed) return false;
    const Ring ring = target.ring;  // a copy: no store to the slot can change it
    at = claimed.at;
    target.next = at + 1;
    encode(ring.slot(at), event, words::load_dropped(*ring.words));
    commit(ring, at);
    prefetch_slot(target, at + kSlotsAhead, 0, event.payload.size());
    return true;
}

inline void Writer::publish_to(std::uint32_t inbox, const OutgoingEvent& event, Delivery& delivery) noexcept {
    if (committed_count_ == committed_.size()) [[unlikely]]
        finish_early(event, delivery);
    const std::uint32_t place = committed_count_;
    Target* target = enter(inbox, place, event, delivery);
    if (target == nullptr) return;
    Position at = 0;
    ClaimResult result;
    if (!write(*target, event, at, result)) [[unlikely]] {
        refused(*target, inbox, result, delivery);
        return leave(place);
    }
    committed_[committed_count_++] = {target, at, inbox};
}

inline void Writer::delivered(const Committed& committed, const OutgoingEvent& event, Delivery& delivery) noexcept {
    ++delivery.delivered;
    if (event.large != nullptr) [[unlikely]]
        remember_holder(committed);
    wake_reader(attachment_->segment(), committed.inbox, *committed.target->ring.words);
}

// The fence behind the commits, and what must come after it.
inline void Writer::finish(const OutgoingEvent& event, Delivery& delivery) noexcept {
    if (committed_count_ == 0) return;
    full_fence();
    for (std::uint32_t place = 0; place < committed_count_; ++place) {
        Committed& committed = committed_[place];
        if (!settle(committed.target->ring, committed.at, lease_.id)) [[unlikely]] {
            publish_again(place, committed, event, delivery);
            continue;
        }
        delivered(committed, event, delivery);
        leave(place);
    }
    committed_count_ = 0;
}

void Writer::finish_early(const OutgoingEvent& event, Delivery& delivery) noexcept { finish(event, delivery); }

// Tells closers that the thread is within publish, and itself when a signal handler interrupts it.
class Writer::Inside {
public:
    explicit Inside(Writer& writer) noexcept : flag_(writer.inside_) {
        flag_.store(true, kStoreBeforeFence);
        // The barrier in Handle::finish_close() is the other half.
        if (writer.fences_itself_) full_fence();
        else compiler_fence();
    }
    ~Inside() { flag_.store(false, std::memory_order_release); }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

private:
    std::atomic<bool>& flag_;
};

Result Writer::publish(EventType& type, Message& message, Delivery& delivery) {
    if (inside_.load(std::memory_order_relaxed)) [[unlikely]]
        return SWB_ERR_REENTRANT;
    const Inside inside(*this);
    if (closed_.load(kLoadAfterFence)) [[unlikely]]
        return SWB_ERR_CLOSED;
    return publish_inside(type, message, delivery);
}

Result Writer::publish(EventTypes& types, std::string_view type, Message& message, Delivery& delivery) {
    if (inside_.load(std::memory_order_relaxed)) [[unlikely]]
        return SWB_ERR_REENTRANT;
    const Inside inside(*this);
    if (closed_.load(kLoadAfterFence)) [[unlikely]]
        return SWB_ERR_CLOSED;
    EventType* known = types_.find(type);
    if (known == nullptr) [[unlikely]] {
        std::shared_ptr<EventType> resolved = types.resolve(*attachment_, type);
        known = resolved.get();
        types_.add(std::move(resolved));
    }
    return publish_inside(*known, message, delivery);
}

Result Writer::publish_inside(EventType& type, Message& message, Delivery& delivery) {
    const words::InsidePublish told(*line_);
    if (!type.entered()) [[unlikely]]
        type.try_to_enter(*attachment_);

    Segment& segment = attachment_->segment();
    message.type = type.index();
    if (message.type == SWB_TYPE_INLINE) [[unlikely]]
        message.inline_type = type.name();
    message.writer = static_cast<std::uint16_t>(lease_.id);
    message.lease = lease_.lease.number();
    const bool in_arena = !fits_in_slot(message, segment.plan().slot_bytes) || message.loaned;
    if (in_arena) [[unlikely]] {
        if (const Result refused = place_in_arena(message)) return refused;
    }
    message.sequence = ++next_sequence_;
    words::store_plain(line_->next_sequence, next_sequence_);
    message.time_ns = clock_.now_ns();
    if (message.time_ns - looked_ns_ >= kLookEveryNs) [[unlikely]] {  // also when the clock was set back
        looked_ns_ = message.time_ns;
        attachment_->look_after_own_place();
    }
    delivery.sequence = message.sequence;
    delivery.writer = message.writer;

    if (message.type != SWB_TYPE_INLINE) [[likely]] {
        swb_l_route& route = segment.route(message.type);
        const std::uint32_t inboxes = segment.plan().max_subscribers;
        for (std::uint64_t summary = words::load_route(route.summary); summary != 0; summary &= summary - 1) {
            const auto word = static_cast<std::uint32_t>(std::countr_zero(summary));
            if (word * 64 >= inboxes) break;
            const std::uint64_t bits = existing(words::load_route((&route.words[0])[word]), word * 64, inboxes);
            if ((bits & (bits - 1)) != 0) {
                publish_to_each(bits, word * 64, message, delivery);
            } else if (bits != 0) {
                publish_to(word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits)), message, delivery);
            }
        }
    } else {
        publish_by_patterns(type, message, delivery);
    }
    finish(message, delivery);
    if (!full_.empty()) [[unlikely]] {
        const std::uint64_t now = monotonic_ns();
        const std::uint64_t deadline = now + std::min(message.block_timeout_ns, ~now);
        // By index: an inbox whose reader takes the position away again comes to the end anew.
        for (std::size_t i = 0; i < full_.size(); ++i) wait_for_room(full_[i], type, message, deadline, delivery);
        full_.clear();
    }
    if (in_arena) [[unlikely]]
        attachment_->arenas().publish(chunk_, chunk_holders_);
    return delivery.dropped == 0 ? SWB_OK : SWB_DROPPED;
}

// Names the inboxes whose patterns are read, so that their memory stays. Place 0 is free for that
// before the first claim.
struct Writer::Reading final : InboxVisit {
    Writer& writer;
    explicit Reading(Writer& w) noexcept : writer(w) {}
    void enter(std::uint32_t inbox) noexcept override { words::name_inbox(*writer.line_, 0, inbox, writer.fences_itself_); }
    void leave() noexcept override { writer.leave(0); }
};

std::vector<std::uint64_t> Writer::matching_inboxes(std::string_view type) {
    Reading reading(*this);
    return match_inboxes(attachment_->segment(), type, reading);
}

// A type that is not in the table has no route: its inboxes are those whose patterns match.
void Writer::publish_by_patterns(EventType& type, const Message& event, Delivery& delivery) {
    Reading reading(*this);
    std::vector<std::uint64_t> bits;
    try {
        bits = type.matched_inboxes(*attachment_, reading);
    } catch (...) {  // short of memory, before anything was published
        if (event.loaned) attachment_->arenas().lend(chunk_);
        else if (event.large != nullptr) attachment_->arenas().give_back(chunk_);
        throw;
    }
    for (std::uint32_t word = 0; word < bits.size(); ++word) publish_to_each(bits[word], word * 64, event, delivery);
}

// The lines of the next inboxes are asked for ahead.
void Writer::publish_to_each(std::uint64_t bits, std::uint32_t base, const OutgoingEvent& event, Delivery& delivery) noexcept {
    std::uint64_t ahead = bits;
    const auto prefetch_next = [&] {
        if (ahead == 0) return;
        prefetch(base + static_cast<std::uint32_t>(std::countr_zero(ahead)), event.payload.size());
        ahead &= ahead - 1;
    };
    for (std::uint32_t i = 0; i < kPrefetchAhead; ++i) prefetch_next();
    for (; bits != 0; bits &= bits - 1) {
        prefetch_next();
        publish_to(base + static_cast<std::uint32_t>(std::countr_zero(bits)), event, delivery);
    }
}

// The reader had taken the position away: the event has not been seen, so it goes to a new one.
void Writer::publish_again(std::uint32_t place, Committed& committed, const OutgoingEvent& event, Delivery& delivery) noexcept {
    Target& target = *committed.target;
    ClaimResult result;
    while (write(target, event, committed.at, result)) {
        full_fence();
        if (!settle(target.ring, committed.at, lease_.id)) continue;
        delivered(committed, event, delivery);
        leave(place);
        return;
    }
    refused(target, committed.inbox, result, delivery);
    leave(place);
}

void Writer::wait_for_room(std::uint32_t inbox, EventType& type, const Message& message, std::uint64_t deadline_ns,
                           Delivery& delivery) noexcept {
    constexpr std::uint32_t kPlace = 0;
    std::uint64_t waiting_since = 0, next_look = monotonic_ns() + kLookEveryNs;
    for (;;) {
        Target* target = enter(inbox, kPlace, message, delivery);
        if (target == nullptr) return;  // it was closed: no subscriber any more
        swb_l_inbox& lines = *target->ring.words;
        const std::uint32_t room = words::announce_wait(lines);
        Position at = 0;
        ClaimResult result;
        if (write(*target, message, at, result)) {
            committed_[committed_count_++] = {target, at, inbox};
            target->refused_after_ns = 0;
            return finish_early(message, delivery);
        }
        const Position head = words::load_head(lines).at();
        const std::uint64_t now = monotonic_ns();
        if (now >= next_look) {
            next_look = now + kLookEveryNs;
            attachment_->look_after_own_place();
        }
        if (type.entered() && !routed(attachment_->segment().route(type.index()), inbox)) return leave(kPlace);  // unsubscribed
        const bool in_vain_before = target->refused_after_ns >= message.block_timeout_ns && target->refused_at == head;
        const bool dead = waiting_since != 0 && attachment_->owner_looks_dead(inbox);
        if (attachment_->view_holder(inbox) == thread_id_) {
            drop(inbox, LossCause::self, delivery);
        } else if (in_vain_before || dead || now >= deadline_ns || closed_.load(std::memory_order_relaxed) || attachment_->gone()) {
            if (waiting_since != 0) {
                target->refused_after_ns = dead ? ~std::uint64_t{0} : now - waiting_since;
                target->refused_at = head;
            }
            drop(inbox, LossCause::timeout, delivery);
            if (dead) {
                leave(kPlace);  // before: the memory of an inbox that somebody is inside of can't go
                return attachment_->reap(0);
            }
        } else {
            if (waiting_since == 0) waiting_since = now;
            futex_wait(lines.room, room, std::min(kLongestRoomSleepNs, deadline_ns - now));
            continue;
        }
        return leave(kPlace);
    }
}

}  // namespace swarmbus::core
