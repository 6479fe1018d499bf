#include "src/life/control_lock.hpp"

#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "src/clock/clock.hpp"
#include "src/error.hpp"
#include "src/life/file_lock.hpp"
#include "src/routing/routes.hpp"
#include "src/words/table_words.hpp"

namespace swarmbus::core {
namespace {

constexpr std::uint64_t kDirty = 1;
constexpr long kFirstPauseNs = 20'000;
constexpr long kLongestPauseNs = 2'000'000;

Error busy(std::uint64_t patience_ns, const std::string& holder) {
    return Error(SWB_ERR_BUSY, "the control lock of the bus was not to be had within " + std::to_string(patience_ns / 1'000'000) +
                                   " ms; it is held by " + holder + ". Publishing and receiving go on; end or continue that process");
}

}  // namespace

ControlLock::Guard ControlLock::acquire(std::uint64_t patience_ns) {
    const std::uint64_t deadline = monotonic_ns() + patience_ns;
    swb_l_header& header = segment_.header();
    // The kernel has no wait with a deadline for such a lock, so both are asked for now and then.
    std::unique_lock threads(threads_, std::defer_lock);
    for (long pause = kFirstPauseNs;; pause = std::min(2 * pause, kLongestPauseNs)) {
        if ((threads.owns_lock() || threads.try_lock()) && try_lock(segment_.fd(), SWB_LOCK_CONTROL)) break;
        if (monotonic_ns() >= deadline) {
            throw busy(patience_ns, threads.owns_lock() ? "process " + std::to_string(words::load_plain(header.control_holder_pid))
                                                        : "another thread of this process");
        }
        const timespec wait{0, pause};
        ::nanosleep(&wait, nullptr);
    }
    words::store_plain(header.control_holder_pid, static_cast<std::uint32_t>(::getpid()));
    Guard guard(*this, std::move(threads));
    if ((words::load_published(header.control) & kDirty) != 0) {
        rebuild_control_data(segment_);
        guard.mark_clean();
    }
    return guard;
}

ControlLock::Guard::~Guard() {
    if (owner_ != nullptr) unlock(owner_->segment_.fd(), SWB_LOCK_CONTROL);
}

void ControlLock::Guard::mark_dirty() noexcept {
    std::uint64_t& control = owner_->segment_.header().control;
    words::store_published(control, words::load_published(control) | kDirty);
}

void ControlLock::Guard::mark_clean() noexcept {
    std::uint64_t& control = owner_->segment_.header().control;
    words::store_published(control, ((words::load_published(control) >> 1) + 1) << 1);
}

}  // namespace swarmbus::core
