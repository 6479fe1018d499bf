#include "src/bus/connection.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>

#include "src/error.hpp"
#include "src/life/cancellation.hpp"

namespace swarmbus::core {
namespace {

constinit thread_local bool replacing = false;

}  // namespace

Connection::Connection(std::string bus, std::shared_ptr<Handle> handle)
    : bus_(std::move(bus)),
      reattaches_(handle->options().reattach),
      creates_(handle->options().open_mode != OpenMode::open_only),
      current_(handle.get()) {
    handles_.push_back(std::move(handle));
}

std::shared_ptr<Handle> Connection::share() const {
    const std::lock_guard lock(mutex_);
    return handles_.back();
}

bool Connection::left_behind(Handle& used, Result failure) {
    // Whatever a handle says that was replaced meanwhile: it was in the middle of leaving.
    return (failure == SWB_ERR_GONE || &used != &handle()) && replace(used);
}

// True when there is another handle by now, made here or by another thread. Not by a signal handler that
// interrupted this very thing.
bool Connection::replace(Handle& gone) {
    if (!reattaches_ || replacing) return false;
    replacing = true;
    struct Replaced {
        ~Replaced() { replacing = false; }
    } const replaced;
    const HoldCancellation hold;
    std::unique_lock lock(mutex_);
    if (closed_) return false;
    if (&gone != current_.load(std::memory_order_relaxed)) return true;
    std::shared_ptr<Handle> fresh;
    try {
        fresh = open_anew(gone);
        fresh->take_over_subscriptions(gone);
        if (watched_.get() >= 0) watch(fresh->descriptor());
    } catch (const Error& e) {
        throw Error(SWB_ERR_GONE, "bus '" + bus_ + "' is gone, and opening it anew failed: " + e.what());
    }
    handles_.push_back(fresh);
    current_.store(fresh.get(), std::memory_order_seq_cst);
    if (gone.stop_is_pending()) fresh->stop();
    // The receiver may wait on the old handle's descriptor, which its timer makes readable: it stays until then.
    if (gone.has_inbox()) {
        news_.store(true, std::memory_order_relaxed);
    } else {
        lock.unlock();
        gone.close();
    }
    return true;
}

// The bus that is there by now; else, unless its creation is left to others, one like that which went.
std::shared_ptr<Handle> Connection::open_anew(const Handle& gone) const {
    Options options = gone.options();
    options.open_mode = OpenMode::open_only;
    try {
        return Handle::open(bus_, options);
    } catch (const Error& e) {
        if (e.code() != SWB_ERR_NO_BUS || !creates_) throw;
    }
    const Segment& was = gone.attachment().segment();
    options.open_mode = OpenMode::open_or_create;
    options.limits = limits_of(was.plan());
    options.permissions = was.permissions();
    return Handle::open(bus_, options);
}

int Connection::descriptor() {
    if (!reattaches_) return handle().descriptor();
    const HoldCancellation hold;
    for (;;) {
        Handle& used = handle();
        const int descriptor = used.descriptor();  // may wait for another receiver: not with the mutex
        const std::lock_guard lock(mutex_);
        if (&used != current_.load(std::memory_order_relaxed)) continue;
        watch(descriptor);
        return watched_.get();
    }
}

// Puts a handle's descriptor into the set. One that was closed has left it by itself.
void Connection::watch(int descriptor) {
    epoll_event readable{};
    readable.events = EPOLLIN;
    for (const bool second : {false, true}) {
        if (watched_.get() >= 0 && (::epoll_ctl(watched_.get(), EPOLL_CTL_ADD, descriptor, &readable) == 0 || errno == EEXIST)) return;
        if (second) break;
        watched_.release();  // the host has closed it, who does not know it; the number may be another's by now
        watched_ = Descriptor(::epoll_create1(EPOLL_CLOEXEC));
        if (watched_.get() >= 0 && watched_.get() <= STDERR_FILENO)
            watched_ = Descriptor(::fcntl(watched_.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    }
    throw system_error(SWB_ERR_SYSTEM, "making a pollable descriptor (epoll)", errno);
}

Result Connection::stop() noexcept {
    for (;;) {
        Handle& used = handle();
        const Result result = used.stop();
        if (&used == &handle()) return result == SWB_ERR_GONE && reattaches_ ? SWB_OK : result;
    }
}

bool Connection::tell_news() noexcept {
    const HoldCancellation hold;
    std::vector<std::shared_ptr<Handle>> old;
    {
        const std::lock_guard lock(mutex_);
        if (!news_.exchange(false, std::memory_order_relaxed)) return false;
        old.assign(handles_.begin(), handles_.end() - 1);
    }
    for (const auto& handle : old) handle->close();  // again is harmless
    return true;
}

void Connection::close() noexcept {
    std::vector<std::shared_ptr<Handle>> all;
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        all = handles_;
        watched_ = Descriptor();
    }
    for (const auto& handle : all) handle->close();
}

BoundType::BoundType(std::shared_ptr<Connection> connection, std::string_view type) : connection_(std::move(connection)) {
    connection_->with_handle([&](Handle& handle) {
        handle.check_usable();
        const std::lock_guard lock(mutex_);
        bound_.push_back(std::make_unique<Bound>(Bound{&handle, handle.event_type(type)}));
        current_.store(bound_.back().get(), std::memory_order_release);
        return SWB_OK;
    });
}

void BoundType::bind(Handle& handle) {
    const std::lock_guard lock(mutex_);
    const std::string& type = bound_.front()->type->name();
    if (bound_.back()->handle != &handle) bound_.push_back(std::make_unique<Bound>(Bound{&handle, handle.event_type(type)}));
    current_.store(bound_.back().get(), std::memory_order_release);
}

}  // namespace swarmbus::core
