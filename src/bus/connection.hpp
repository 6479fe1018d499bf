// What a caller holds of a bus: a handle, and with the option `reattach` a new one in its place when the
// bus was removed or the process was taken for dead.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "src/bus/handle.hpp"

namespace swarmbus::core {

class Connection {
public:
    Connection(std::string bus, std::shared_ptr<Handle> handle);

    // Of now. Stays valid as long as the connection does.
    Handle& handle() const noexcept { return *current_.load(std::memory_order_acquire); }
    std::shared_ptr<Handle> share() const;
    const std::string& bus() const noexcept { return bus_; }

    // Whether a handle whose bus is gone is replaced. Without it nothing here is looked at after a call: whoever
    // closes the connection waits for its handle's calls only.
    bool reattaches() const noexcept { return reattaches_; }
    // Runs call(handle); again with a new handle when the old one's bus is gone and that is asked for. The caller
    // keeps the connection alive, if it reattaches.
    template <typename Call>
    Result with_handle(Call&& call) {
        if (!reattaches_) [[likely]]
            return call(handle());
        for (;;) {
            Handle& used = handle();
            try {
                const Result result = call(used);
                if (result >= 0 || !left_behind(used, result)) return result;
            } catch (const Error& e) {
                if (!left_behind(used, e.code())) throw;
            }
        }
    }

    // What a call failed with: true if its handle has another one in its place by now, so that it may be repeated.
    [[gnu::cold]] bool left_behind(Handle& used, Result failure);

    // By any thread and signal handlers. The next receiving call is told, also if the handle is replaced meanwhile.
    Result stop() noexcept;
    // For receiving calls: whether the handle was replaced since the last one was told.
    bool take_news() noexcept {
        if (!news_.load(std::memory_order_relaxed)) [[likely]]
            return false;
        return tell_news();
    }

    // The handle's descriptor; if it is replaced, one that stays the same and stands for that of the handle of now. Throws
    // as Handle::descriptor() does.
    int descriptor();

    void close() noexcept;

private:
    bool replace(Handle& gone);
    void watch(int descriptor);
    std::shared_ptr<Handle> open_anew(const Handle& gone) const;
    bool tell_news() noexcept;

    const std::string bus_;
    const bool reattaches_, creates_;
    std::atomic<Handle*> current_;
    std::atomic<bool> news_{false};
    mutable std::mutex mutex_;
    bool closed_ = false;
    std::vector<std::shared_ptr<Handle>> handles_;  // those before are closed once the receiver knows
    Descriptor watched_;                            // an epoll set of the handle's descriptor, if it was asked for
};

// A type that is published through a connection, resolved anew with each handle.
class BoundType {
public:
    BoundType(std::shared_ptr<Connection> connection, std::string_view type);

    template <typename Call>
    Result with_handle(Call&& call) {
        // The handle of the last call, without a look at the connection's: one that was replaced refuses every call.
        for (;;) {
            const Bound& bound = *current_.load(std::memory_order_acquire);
            try {
                const Result result = call(*bound.handle, *bound.type);
                if (result >= 0) [[likely]]
                    return result;
                if (!connection_->left_behind(*bound.handle, result)) return result;
            } catch (const Error& e) {
                if (!connection_->left_behind(*bound.handle, e.code())) throw;
            }
            bind(connection_->handle());
        }
    }

private:
    struct Bound {
        Handle* handle;
        std::shared_ptr<EventType> type;
    };
    [[gnu::cold]] void bind(Handle& handle);

    const std::shared_ptr<Connection> connection_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Bound>> bound_;
    std::atomic<const Bound*> current_{nullptr};
};

}  // namespace swarmbus::core
