// The way of an event, step 5: the owner of an inbox takes what is ready.
#include <time.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "src/bus/handle.hpp"
#include "src/clock/clock.hpp"
#include "src/error.hpp"
#include "src/life/cancellation.hpp"
#include "src/life/process.hpp"

namespace swarmbus::core {
namespace {

constexpr std::uint64_t kForever = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t kDispatchBatch = 64;
constexpr timespec kTurnPause{0, 100'000};
// A reader that never sleeps still looks at deadlines and losses this often.
constexpr std::uint64_t kLongestSpinNs = 20'000;

}  // namespace

inline bool Handle::try_turn() noexcept {
    std::uint32_t nobody = 0;
    return receiver_.compare_exchange_strong(nobody, this_thread(), std::memory_order_acquire, std::memory_order_relaxed);
}

// One receiver at a time. A second thread waits; the same thread, from within a handler, is refused.
class Handle::ReceiverTurn {
public:
    [[gnu::always_inline]] explicit ReceiverTurn(Handle& handle) : handle_(handle) {
        if (!handle.try_turn()) [[unlikely]]
            wait();
    }
    [[gnu::always_inline]] ~ReceiverTurn() {
        if (handle_.close_deferred_) [[unlikely]]
            finish_close();
        else handle_.receiver_.store(0, std::memory_order_release);  // from here on a closer may free the handle
    }
    ReceiverTurn(const ReceiverTurn&) = delete;
    ReceiverTurn& operator=(const ReceiverTurn&) = delete;

private:
    [[gnu::cold]] void wait() {
        if (handle_.receiver_.load(std::memory_order_relaxed) == this_thread()) {
            throw Error(SWB_ERR_REENTRANT, "a handler can't receive from the handle that called it; use swb_separate() for a second inbox");
        }
        if (!handle_.take_turn(true)) throw Error(SWB_ERR_CLOSED, swb_result_text(SWB_ERR_CLOSED));
    }
    [[gnu::cold]] void finish_close() noexcept {
        handle_.finish_close();
        handle_.send_waiters_away();  // nobody gets the turn again
    }

    Handle& handle_;
};

// False: the handle was closed while a receiver waited for its turn.
bool Handle::take_turn(bool to_receive) noexcept {
    if (try_turn()) return true;
    // Another thread receives. Telling us when it is done would cost every receive; looking now and
    // then costs only this rare one.
    const HoldCancellation hold;
    turns_waited_for_.fetch_add(1, std::memory_order_seq_cst);
    bool mine = false;
    while (!(to_receive && closed_.load(std::memory_order_seq_cst)) && !(mine = try_turn())) ::nanosleep(&kTurnPause, nullptr);
    turns_waited_for_.fetch_sub(1, std::memory_order_release);  // from here on a closer may free the handle
    return mine;
}

Result Handle::receive(std::int64_t timeout_ns, swb_event* events, std::size_t capacity, std::size_t& count) {
    check_usable();
    const ReceiverTurn turn(*this);
    return receive_in_turn(timeout_ns, events, capacity, count, true);
}

// Events that a stopped run left unhandled come first.
std::size_t Handle::take_unhandled(swb_event* events, std::size_t capacity) noexcept {
    const std::size_t size = events->size, count = std::min(capacity, unhandled());
    for (std::size_t i = 0; i < count; ++i) {
        auto* out = reinterpret_cast<swb_event*>(reinterpret_cast<std::byte*>(events) + i * size);
        *out = batch_[handled_in_batch_++];
        out->size = size;
    }
    return count;
}

Result Handle::receive_in_turn(std::int64_t timeout_ns, swb_event* events, std::size_t capacity, std::size_t& count, bool tell_losses) {
    count = 0;
    std::uint64_t deadline = timeout_ns < 0 ? kForever : 0;  // 0: not worked out yet
    const std::uint64_t slice_ns = std::min(options_.spin_ns, kLongestSpinNs);
    std::uint64_t spinning_since = 0;
    for (bool in_vain = false;;) {
        if (closed_.load(std::memory_order_relaxed)) [[unlikely]]
            refuse(SWB_ERR_CLOSED);
        Inbox* inbox = inbox_.load(std::memory_order_acquire);
        if (inbox == nullptr) {
            throw Error(SWB_ERR_NOT_SUBSCRIBED, "this handle has no subscription to receive from; call swb_subscribe() first");
        }
        if (take_stop()) [[unlikely]]
            return SWB_STOPPED;
        count = unhandled() > 0 ? take_unhandled(events, capacity) : inbox->receive(events, capacity);
        if (count > 0) [[likely]]
            return SWB_OK;
        if (place_.lost()) [[unlikely]]
            refuse(SWB_ERR_GONE);
        if (timeout_ns == 0) {
            if (!std::exchange(in_vain, true) && (inbox->look_behind() || place_.lost())) continue;
            if (tell_losses && inbox->tell_losses(*events)) return SWB_LOST;
            if (!inbox->rest_on_descriptor(interrupted_, tell_losses)) continue;
            return SWB_TIMED_OUT;
        }
        // What looks ready may not be wanted, or be damaged: then time is looked at in between.
        const bool ready = inbox->spin(slice_ns, interrupted_);
        in_vain = ready && !in_vain;
        if (in_vain) continue;
        if (tell_losses && inbox->tell_losses(*events)) return SWB_LOST;
        const std::uint64_t now = monotonic_ns();
        if (deadline == 0) deadline = now + std::min(static_cast<std::uint64_t>(timeout_ns), ~now);
        if (now >= deadline) return SWB_TIMED_OUT;
        if (ready || place_.lost()) continue;  // as the look around may have shown: not after another second
        if (spinning_since == 0) spinning_since = now - slice_ns;
        if (options_.spin_ns != kForever && now - spinning_since >= options_.spin_ns) inbox->sleep(deadline, interrupted_, tell_losses);
    }
}

Result Handle::release() {
    check_usable();
    const ReceiverTurn turn(*this);
    Inbox* inbox = inbox_.load(std::memory_order_acquire);
    if (inbox != nullptr && unhandled() == 0) inbox->release();
    return SWB_OK;
}

int Handle::descriptor() {
    check_usable();
    const HoldCancellation hold;
    const ReceiverTurn turn(*this);
    Inbox* inbox = inbox_.load(std::memory_order_acquire);
    if (inbox == nullptr) {
        throw Error(SWB_ERR_NOT_SUBSCRIBED, "this handle has no subscription to receive from; call swb_subscribe() first");
    }
    return inbox->descriptor();
}

void Handle::dispatch(const swb_event& event) {
    for (const auto& subscription : Inbox::concerned(event)) {
        if (subscription->handler == nullptr) continue;
        const std::lock_guard running(*dispatch_mutex_);
        if (subscription->active.load(std::memory_order_acquire)) subscription->handler(&event, subscription->user);
    }
}

Result Handle::run_once(std::int64_t timeout_ns, std::size_t& handled) {
    handled = 0;
    check_usable();
    const std::shared_ptr<Handle> self = shared_from_this();  // a handler may close the handle
    const ReceiverTurn turn(*this);
    Result result = SWB_OK;
    if (unhandled() == 0) {
        batch_.resize(kDispatchBatch);
        batch_[0].size = sizeof(swb_event);
        handled_in_batch_ = batch_count_ = 0;
        std::size_t count = 0;
        // Handlers are told of losses by the next event.
        result = receive_in_turn(timeout_ns, batch_.data(), batch_.size(), count, false);
        batch_count_ = count;
    }
    const HoldCancellation hold;  // a handler that is cancelled would leave its turn taken
    while (unhandled() > 0 && usable() == SWB_OK) {
        if (take_stop()) return SWB_STOPPED;  // the rest is for the next call
        const swb_event event = batch_[handled_in_batch_++];
        ++handled;
        dispatch(event);
    }
    // Not in a child that a handler forked: what was received is its parent's to give back.
    if (Inbox* inbox = inbox_.load(std::memory_order_acquire); inbox != nullptr && handled > 0 && attachment_->same_process()) {
        inbox->release();
    }
    return handled > 0 && take_stop() ? Result{SWB_STOPPED} : result;
}

Result Handle::run() {
    const std::shared_ptr<Handle> self = shared_from_this();  // a handler may close the handle
    for (;;) {
        std::size_t handled = 0;
        const Result result = run_once(SWB_FOREVER, handled);
        if (result == SWB_STOPPED || result < 0) return result;
    }
}

// Also when the bus is gone: the receiver may be told of the stop by the handle that comes in this one's place.
Result Handle::stop() noexcept {
    const Result result = usable();
    if (result == SWB_OK || result == SWB_ERR_GONE) interrupt(kStopped);
    return result;
}

Losses Handle::losses() {
    check_usable();
    const Inbox* inbox = inbox_.load(std::memory_order_acquire);
    if (inbox == nullptr) throw Error(SWB_ERR_NOT_SUBSCRIBED, "this handle has no inbox yet; call swb_subscribe() first");
    return inbox->losses();
}

}  // namespace swarmbus::core
