#include "src/life/attachment.hpp"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "src/clock/clock.hpp"
#include "src/error.hpp"
#include "src/life/cancellation.hpp"
#include "src/life/file_lock.hpp"
#include "src/life/membarrier.hpp"
#include "src/life/process.hpp"
#include "src/words/table_words.hpp"

namespace swarmbus::core {
namespace {

// Attachments of this process. Held during fork(), so that a child finds the list whole.
std::mutex registry_mutex;
std::vector<std::weak_ptr<Attachment>>& registry() {
    static auto* attachments = new std::vector<std::weak_ptr<Attachment>>;  // outlives static handles
    return *attachments;
}

constexpr std::uint64_t participant_state(std::uint32_t generation, std::uint32_t status) noexcept {
    return std::uint64_t{generation} << 32 | status;
}

}  // namespace

std::shared_ptr<Attachment> Attachment::to(const Request& request) {
    static std::once_flag fork_handlers;
    std::call_once(fork_handlers, [] { ::pthread_atfork(prepare_fork, resume_parent, abandon_in_child); });

    // Locked before there is a descriptor: a child that another thread forks knows of all there are.
    const std::lock_guard lock(registry_mutex);
    std::unique_ptr<Segment> segment = Segment::open(request.bus, request.mode, request.limits, request.permissions);
    auto& all = registry();
    std::erase_if(all, [](const std::weak_ptr<Attachment>& a) { return a.expired(); });
    for (const auto& known : all) {
        const std::shared_ptr<Attachment> attachment = known.lock();
        if (attachment && attachment->same_process() && attachment->segment().device() == segment->device() &&
            attachment->segment().inode() == segment->inode()) {
            return attachment;
        }
    }
    std::shared_ptr<Attachment> fresh(new Attachment(std::move(segment)));
    fresh->join(request.participant_name);
    all.push_back(fresh);
    return fresh;
}

Attachment::Attachment(std::unique_ptr<Segment> segment)
    : segment_(std::move(segment)), control_(*segment_), view_holders_(segment_->plan().max_subscribers) {}

Attachment::~Attachment() {
    if (joined_ && same_process()) leave();
}

void Attachment::join(std::string_view name) {
    barrier_registered_ = register_for_barrier();
    const ControlLock::Guard guard = control_.acquire();
    const std::uint32_t count = segment_->plan().max_participants;
    for (std::uint32_t i = 0; i < count; ++i) {
        swb_l_participant& entry = segment_->participant(i);
        const std::uint64_t state = words::load_published(entry.state);
        if (static_cast<std::uint32_t>(state) != SWB_PARTICIPANT_FREE) continue;
        if (!try_lock(segment_->fd(), SWB_LOCK_PARTICIPANTS + i)) continue;
        participant_ = i;
        generation_ = static_cast<std::uint32_t>(state >> 32) + 1;
        const ProcessIdentity self = own_identity();
        entry.pid = self.pid;
        entry.barrier = barrier_registered_ ? 1 : 0;
        entry.start_ticks = self.start_ticks;
        entry.pid_namespace = self.pid_namespace;
        entry.joined_ns = wall_clock_ns();
        std::memset(entry.name, 0, sizeof entry.name);
        std::memcpy(entry.name, name.data(), std::min(name.size(), sizeof entry.name - 1));
        words::store_published(entry.state, participant_state(generation_, SWB_PARTICIPANT_ALIVE));
        joined_ = true;
        return;
    }
    throw Error(SWB_ERR_PARTICIPANTS_FULL,
                "all " + std::to_string(count) +
                    " places for processes on the bus are taken; end some, or create the bus with a larger max_participants");
}

void Attachment::leave() noexcept {
    const HoldCancellation hold;
    try {
        const ControlLock::Guard guard = control_.acquire();
        words::store_published(segment_->participant(participant_).state, participant_state(generation_, SWB_PARTICIPANT_FREE));
        unlock(segment_->fd(), SWB_LOCK_PARTICIPANTS + participant_);
    } catch (const std::exception&) {
        // The control lock is not to be had: closing the file drops our own lock, and the entry is
        // then like that of a process that died.
    }
}

bool Attachment::participant_lock_free(std::uint32_t participant, std::uint32_t generation) noexcept {
    if (participant >= segment_->plan().max_participants) return false;
    if (participant == participant_) return generation != generation_;  // a lock never looks taken to its holder
    const std::uint64_t state = words::load_published(segment_->participant(participant).state);
    if (state != participant_state(generation, SWB_PARTICIPANT_ALIVE)) return true;  // it left, or another came
    return !lock_is_held(segment_->fd(), SWB_LOCK_PARTICIPANTS + participant);
}

bool Attachment::looks_dead(std::uint32_t writer) {
    if (writer == 0 || writer >= SWB_WRITERS) return true;
    const Lease lease = words::load_lease(segment_->writer(writer));
    return lease.free() || participant_lock_free(lease.participant(), lease.participant_generation());
}

bool Attachment::proven_dead(std::uint32_t writer) {
    if (writer == 0 || writer >= SWB_WRITERS) return false;
    const Lease lease = words::load_lease(segment_->writer(writer));
    if (lease.free() || lease.participant() >= segment_->plan().max_participants) return false;
    if (!participant_lock_free(lease.participant(), lease.participant_generation())) return false;
    const swb_l_participant& entry = segment_->participant(lease.participant());
    if (!process_is_gone({entry.pid, entry.start_ticks, entry.pid_namespace})) return false;
    return words::load_lease(segment_->writer(writer)) == lease;
}

bool Attachment::owner_looks_dead(std::uint32_t inbox) {
    const swb_l_subscriber& entry = segment_->subscriber(inbox);
    return participant_lock_free(entry.participant, entry.participant_generation);
}

void Attachment::prepare_fork() noexcept { registry_mutex.lock(); }
void Attachment::resume_parent() noexcept { registry_mutex.unlock(); }

// The child shares the parent's lock by the open file description: closing the descriptor leaves
// it to the parent; unlocking would take it away from both.
void Attachment::abandon_in_child() noexcept {
    for (const auto& known : registry()) {
        if (const std::shared_ptr<Attachment> attachment = known.lock()) attachment->segment_->close_descriptor();
    }
    registry_mutex.unlock();
}

}  // namespace swarmbus::core
