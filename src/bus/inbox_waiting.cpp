// An inbox whose reader has nothing to do: it looks, backs off, sleeps, or rests on its descriptor.
#include <algorithm>
#include <utility>

#include "src/bus/inbox.hpp"
#include "src/clock/clock.hpp"
#include "src/waking/futex.hpp"
#include "src/words/waking_words.hpp"

namespace swarmbus::core {
namespace {

constexpr std::uint64_t kLongestSleepNs = 1'000'000'000;
// A sleep that lasted this much longer than asked means that we were stopped ourselves.
constexpr std::uint64_t kOversleptNs = 20'000'000;
constexpr std::uint32_t kLooksBetweenClockReads = 256;
// An event that came within this many looks belongs to a stream.
constexpr std::uint32_t kLooksWithinStream = 256;
// A publisher needs this long at most between claim and commit, unless it was stopped.
constexpr std::uint64_t kUnreadyNs = 5'000;
constexpr std::uint32_t kMostShortWaits = 1 << 14;
constexpr std::uint32_t kTrain = 4;
constexpr int kBackOffPauses = 60;

}  // namespace

// On every way to rest: what is due once a second, and what a look at the claims has shown.
void Inbox::look_around(std::uint64_t now_ns) noexcept {
    words::note_caught_up(words());
    if (any_unreported_) [[unlikely]]
        report_losses(now_ns);
    attachment_->reap_if_stalled();
    attachment_->look_around(now_ns);
}

bool Inbox::anything_at_head() const noexcept {
    const Ring& ring = reader_.ring();
    const Position h = words::load_head(*ring.words).at();
    return distance(words::load_state(ring.state(h)).lap(), ring.lap(h)) >= 0;
}

bool Inbox::look_behind() noexcept {
    const std::uint64_t now = monotonic_ns();
    look_around(now);  // also if events trickle in, and no poll finds nothing twice in a row
    if (unready_since_ns_ == 0) unready_since_ns_ = now;
    if (now - unready_since_ns_ < kUnreadyNs) return false;
    unready_since_ns_ = now;
    std::uint64_t remaining = 0;
    return reader_.look_behind(now, *attachment_, remaining) == InboxReader::Behind::passed;
}

// A reader that has caught up with a stream and looks on takes every slot's line from under the
// publisher's hands. A moment later several events are there, and both sides run undisturbed. Only
// while that proves true: a lone event after the pause means that somebody waits for answers, and
// the next try comes twice as late.
void Inbox::back_off_from_stream() noexcept {
    const bool train = events_since_empty_ >= kTrain;
    events_since_empty_ = 0;
    if (backed_off_) {
        waits_before_back_off_ = train ? kFewestShortWaits : std::min(2 * waits_before_back_off_, kMostShortWaits);
        if (!train) short_waits_ = 0;
    }
    backed_off_ = short_waits_ >= waits_before_back_off_;
    if (!backed_off_) return;
    for (int i = 0; i < kBackOffPauses; ++i) cpu_relax();
}

bool Inbox::spin(std::uint64_t spin_ns, const std::atomic<std::uint32_t>& interrupted) noexcept {
    back_off_from_stream();
    std::uint32_t looks = 0;
    const std::uint64_t start = monotonic_ns();
    std::uint64_t now = start;
    do {
        for (const std::uint32_t end = looks + kLooksBetweenClockReads; looks < end; ++looks) {
            if (anything_at_head() || interrupted.load(std::memory_order_relaxed) != 0) {
                if (!backed_off_) short_waits_ = looks < kLooksWithinStream ? short_waits_ + 1 : 0;
                return true;
            }
        }
        const std::uint64_t last = std::exchange(now, monotonic_ns());
        if (now - last > kOversleptNs) reader_.forget_stall();  // we were stopped ourselves
    } while (now - start < spin_ns);
    short_waits_ = 0;
    std::uint64_t remaining = 0;
    const bool passed = reader_.look_behind(now, *attachment_, remaining) == InboxReader::Behind::passed;
    look_around(now);
    return passed;
}

// Behind an announcement. A loss since the last look for losses counts, if the caller can be told.
bool Inbox::may_rest(const std::atomic<std::uint32_t>& interrupted, bool tell_losses) const noexcept {
    return !anything_at_head() && interrupted.load(std::memory_order_seq_cst) == 0 &&
           (!tell_losses || words::load_dropped(words()) == dropped_when_looked_);
}

void Inbox::sleep(std::uint64_t deadline_ns, const std::atomic<std::uint32_t>& interrupted, bool tell_losses) noexcept {
    swb_l_inbox& inbox = words();
    const std::uint32_t word = words::announce_sleep(inbox);
    const std::uint64_t now = monotonic_ns();
    std::uint64_t limit = std::min(kLongestSleepNs, deadline_ns > now ? deadline_ns - now : 0);
    if (may_rest(interrupted, tell_losses) && limit > 0) {
        std::uint64_t remaining = 0;
        const InboxReader::Behind behind = reader_.look_behind(now, *attachment_, remaining);
        if (behind == InboxReader::Behind::writing) limit = std::min(limit, remaining);
        if (behind != InboxReader::Behind::passed) {
            futex_wait(inbox.wake, word, limit);
            if (monotonic_ns() - now > limit + kOversleptNs) reader_.forget_stall();
        }
    }
    words::withdraw_sleep(inbox);
    if (doorbell_) doorbell_->ring();  // who waits on the descriptor next must not miss what this sleep saw
}

int Inbox::descriptor() {
    if (!doorbell_ || doorbell_->descriptor() < 0) {
        doorbell_.reset();                    // first: the socket has the same name
        attachment_->look_after_own_place();  // a host that closed that has closed the bus's, too
        const std::uint64_t generation = words::load_gate(words()).generation();
        doorbell_ = std::make_unique<Doorbell>(attachment_->segment(), index_, generation, attachment_->fork_guard());
    }
    return doorbell_->descriptor();
}

bool Inbox::rest_on_descriptor(const std::atomic<std::uint32_t>& interrupted, bool tell_losses) noexcept {
    if (!doorbell_) return true;
    std::uint64_t remaining = kLongestSleepNs;
    const InboxReader::Behind behind = reader_.look_behind(monotonic_ns(), *attachment_, remaining);
    if (behind == InboxReader::Behind::passed) return false;
    doorbell_->be_silent_for(std::min(remaining, kLongestSleepNs));
    words::announce_waiting(words());
    if (may_rest(interrupted, tell_losses)) return true;
    words::withdraw_sleep(words());
    doorbell_->ring();  // one event a turn: readable until a look finds nothing
    return false;
}

}  // namespace swarmbus::core
