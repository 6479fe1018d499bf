#include "src/life/attachment.hpp"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "src/arena/orphans.hpp"
#include "src/clock/clock.hpp"
#include "src/error.hpp"
#include "src/life/cancellation.hpp"
#include "src/life/file_lock.hpp"
#include "src/life/membarrier.hpp"
#include "src/life/process.hpp"
#include "src/types/registry.hpp"
#include "src/words/table_words.hpp"

namespace swarmbus::core {
namespace {

// Attachments of this process. Held during fork(), so that a child finds the list whole.
std::mutex attachments_mutex;
std::vector<std::weak_ptr<Attachment>>& attachments() {
    static auto* list = new std::vector<std::weak_ptr<Attachment>>;  // outlives static handles
    return *list;
}

constexpr std::uint64_t kLookEveryNs = 1'000'000'000;
// Further ahead than anybody sets it: left by a process with another clock.
constexpr std::uint64_t kLongestProbePauseNs = 10 * kLookEveryNs;
// A stopped holder of the control lock must not hold up whoever reaps on its way.
constexpr std::uint64_t kNoPatience = 0;

}  // namespace

std::shared_ptr<Attachment> Attachment::to(const Request& request) {
    static std::once_flag fork_handlers;
    std::call_once(fork_handlers, [] { ::pthread_atfork(prepare_fork, resume_parent, abandon_in_child); });

    // Locked before there is a descriptor: a child that another thread forks knows of all there are.
    const std::lock_guard lock(attachments_mutex);
    std::unique_ptr<Segment> segment = Segment::open(request.bus, request.mode, request.limits, request.permissions);
    auto& all = attachments();
    std::erase_if(all, [](const std::weak_ptr<Attachment>& a) { return a.expired(); });
    for (const auto& known : all) {
        const std::shared_ptr<Attachment> attachment = known.lock();
        if (attachment && attachment->same_process() && attachment->handles_ > 0 && attachment->segment().device() == segment->device() &&
            attachment->segment().inode() == segment->inode() && !attachment->gone()) {
            if (request.arena_bytes != 0) attachment->arenas_->set_size(request.arena_bytes);
            ++attachment->handles_;
            return attachment;
        }
    }
    std::shared_ptr<Attachment> fresh(new Attachment(std::move(segment)));
    fresh->join(request.participant_name);
    if (request.arena_bytes != 0) fresh->arenas_->set_size(request.arena_bytes);
    if (request.observe != nullptr) fresh->observer_ = request.observe(*fresh);
    if (fresh->observer_) {
        fresh->observer_->joined();
        fresh->observer_->departed(fresh->departed_);
    }
    fresh->handles_ = 1;
    all.push_back(fresh);
    return fresh;
}

bool Attachment::share() noexcept {
    const std::lock_guard lock(attachments_mutex);
    if (handles_ == 0) return false;
    ++handles_;
    return true;
}

void Attachment::handle_closed() noexcept {
    {
        const std::lock_guard lock(attachments_mutex);
        if (--handles_ > 0) return;
    }
    leave();
    segment_->forget();
}

Attachment::Attachment(std::unique_ptr<Segment> segment)
    : segment_(std::move(segment)),
      control_(*segment_),
      registry_(std::make_unique<Registry>(*segment_, control_)),
      view_holders_(segment_->plan().max_subscribers) {}

Attachment::~Attachment() {
    if (participant_ == kNoParticipant) return;
    if (!same_process()) arenas_->abandon();
    else if (!left_) leave();
}

void Attachment::join(std::string_view name) {
    name_ = name.substr(0, SWB_SOURCE_BYTES - 1);
    barrier_registered_ = register_for_barrier();
    ControlLock::Guard guard = control_.acquire();
    std::vector<Departed> departed = core::reap(*segment_, guard, kNoParticipant);
    registry_->add_standard(guard);
    const std::uint32_t count = segment_->plan().max_participants;
    for (std::uint32_t i = 0; i < count; ++i) {
        swb_l_participant& entry = segment_->participant(i);
        const std::uint64_t state = words::load_published(entry.state);
        if (status_of(state) != SWB_PARTICIPANT_FREE) continue;
        if (!try_lock(segment_->fd(), SWB_LOCK_PARTICIPANTS + i)) continue;
        generation_ = generation_of(state) + 1;
        const ProcessIdentity self = own_identity();
        entry.pid = self.pid;
        entry.barrier = barrier_registered_ ? 1 : 0;
        entry.start_ticks = self.start_ticks;
        entry.pid_namespace = self.pid_namespace;
        entry.joined_ns = wall_clock_ns();
        std::memset(entry.name, 0, sizeof entry.name);
        std::memcpy(entry.name, name_.data(), name_.size());
        state_ = participant_state(generation_, SWB_PARTICIPANT_ALIVE);
        words::store_published(entry.state, state_);
        participant_ = i;
        arenas_.emplace(*segment_, participant_, generation_);
        departed_ = std::move(departed);
        return;
    }
    throw Error(SWB_ERR_PARTICIPANTS_FULL,
                "all " + std::to_string(count) +
                    " places for processes on the bus are taken; end some, or create the bus with a larger max_participants");
}

// LEFT first, which needs no lock: the rest is done here, or by whoever reaps.
void Attachment::leave() noexcept {
    const HoldCancellation hold;
    left_ = true;
    if (observer_) observer_->leaving();
    observer_.reset();
    arenas_->leave();
    swb_l_participant& entry = segment_->participant(participant_);
    const std::uint64_t left = participant_state(generation_, SWB_PARTICIPANT_LEFT);
    // Expelled: LEFT then tells that what it might still have written to is free.
    const std::uint64_t expelled = participant_state(generation_, SWB_PARTICIPANT_EXPELLED);
    const bool ours = words::replace_published(entry.state, state_, left) || words::replace_published(entry.state, expelled, left);
    if (!ours) return;  // taken for dead from another PID namespace, and the place may be somebody else's by now
    try {
        ControlLock::Guard guard = control_.acquire();
        give_place_back(*segment_, guard, participant_);
        unlock(segment_->fd(), SWB_LOCK_PARTICIPANTS + participant_);
    } catch (const std::exception&) {
        // The control lock is not to be had: somebody else will reap.
    }
}

std::string Attachment::why_gone() const {
    if (!segment_->is_named()) {
        return "bus '" + segment_->name() +
               "' was removed while this process used it; close the handle and open the bus again, or open it with the option reattach";
    }
    return "this process was taken for dead on bus '" + segment_->name() +
           "' (its program closed the descriptor that holds its lock); close the handle and open the bus again, or open it with the option "
           "reattach";
}

// Of whom nothing is known nothing is proven.
Condition Attachment::condition(std::uint32_t participant, std::uint32_t generation) noexcept {
    if (participant >= segment_->plan().max_participants) return Condition::alive;  // a damaged entry
    if (participant == participant_) return generation == generation_ ? Condition::alive : Condition::lockless;
    swb_l_participant& entry = segment_->participant(participant);
    const std::uint64_t state = words::load_published(entry.state);
    if (generation_of(state) != generation || status_of(state) == SWB_PARTICIPANT_FREE)
        return Condition::lockless;  // it was reaped, or left
    swb_l_participant copy = entry;
    copy.state = state;
    return condition_of(segment_->file(), participant, copy);
}

// Gone only if the id has not been leased anew while we looked.
Condition Attachment::writer_condition(std::uint32_t writer) noexcept {
    if (writer == 0 || writer >= SWB_WRITERS) return Condition::free;
    const Lease lease = words::load_lease(segment_->writer(writer));
    if (lease.free()) return Condition::free;
    const Condition found = condition(lease.participant(), lease.participant_generation());
    return words::load_lease(segment_->writer(writer)) == lease ? found : Condition::free;
}

bool Attachment::looks_dead(std::uint32_t writer) {
    const bool dead = writer_condition(writer) != Condition::alive;
    if (dead) stalled_on_the_dead_.store(true, std::memory_order_relaxed);
    return dead;
}

bool Attachment::proven_dead(std::uint32_t writer) {
    const Condition found = writer_condition(writer);
    return found == Condition::gone || found == Condition::left;
}

bool Attachment::owner_looks_dead(std::uint32_t inbox) {
    swb_l_inbox& lines = segment_->inbox(inbox);
    const Gate gate = words::load_gate(lines);
    const swb_l_subscriber& entry = segment_->subscriber(inbox);
    const Condition found = condition(entry.participant, entry.participant_generation);
    if (found == Condition::gone && gate.status() == SWB_GATE_ACTIVE) words::close_gate_of_dead(lines, gate);
    return found != Condition::alive;
}

void Attachment::reap(std::uint64_t patience_ns) noexcept {
    const HoldCancellation hold;
    try {
        if (!somebody_departed(*segment_, participant_) && list_orphaned_arenas(*segment_).empty()) return;
        std::vector<Departed> departed;
        {
            ControlLock::Guard guard = control_.acquire(patience_ns);
            departed = core::reap(*segment_, guard, participant_);
        }
        if (observer_ && !departed.empty()) observer_->departed(departed);
    } catch (const std::exception&) {
        // The lock is not to be had, or memory is short: the next second, or somebody else.
    }
}

bool Attachment::time_to_look(std::uint64_t now_ns) noexcept {
    std::uint64_t due = next_look_ns_.load(std::memory_order_relaxed);
    return now_ns >= due && next_look_ns_.compare_exchange_strong(due, now_ns + kLookEveryNs);
}

void Attachment::look_after_own_place() noexcept {
    if (gone()) return;
    const HoldCancellation hold;
    if (!segment_->is_named()) {
        words::replace_published(segment_->participant(participant_).state, state_,
                                 participant_state(generation_, SWB_PARTICIPANT_EXPELLED));
        return;
    }
    if (segment_->fd() >= 0) return;
    // The host closed the descriptor, and our lock with it. If nobody has noticed we take it again.
    try {
        if (segment_->open_descriptor_again()) try_lock(segment_->fd(), SWB_LOCK_PARTICIPANTS + participant_);
    } catch (const std::exception&) {
        // The next second.
    }
}

void Attachment::look_around_now(std::uint64_t now_ns) noexcept {
    if (!time_to_look(now_ns)) return;
    look_after_own_place();
    if (gone() || !elected_to_probe(now_ns)) return;
    reap(kNoPatience);
    if (observer_) observer_->look_for_slow_subscribers();
}

// Lock probes are shared: of all processes that wake from an idle second, one looks at the locks.
bool Attachment::elected_to_probe(std::uint64_t now_ns) noexcept {
    std::uint64_t& next = segment_->header().next_probe_ns;
    const std::uint64_t due = words::load_plain(next);
    if (now_ns < due && due - now_ns < kLongestProbePauseNs) return false;
    // Half a second less than the others' pause: everybody's second is elected anew.
    return words::replace_published(next, due, now_ns + kLookEveryNs / 2);
}

void Attachment::prepare_fork() noexcept { attachments_mutex.lock(); }
void Attachment::resume_parent() noexcept { attachments_mutex.unlock(); }

// The child shares the parent's lock by the open file description: closing the descriptor leaves
// it to the parent; unlocking would take it away from both.
void Attachment::abandon_in_child() noexcept {
    for (const auto& known : attachments()) {
        if (const std::shared_ptr<Attachment> attachment = known.lock()) attachment->segment_->close_descriptor();
    }
    attachments_mutex.unlock();
}

}  // namespace swarmbus::core
