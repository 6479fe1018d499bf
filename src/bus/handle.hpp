// A handle on a bus: what swb_bus and swarmbus::Bus are.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "src/bus/event_type.hpp"
#include "src/bus/inbox.hpp"
#include "src/bus/options.hpp"
#include "src/bus/subscription.hpp"
#include "src/bus/writer.hpp"
#include "src/life/attachment.hpp"

namespace swarmbus::core {

class Handle : public std::enable_shared_from_this<Handle> {
public:
    static std::shared_ptr<Handle> open(const std::string& bus, const Options& options);
    std::shared_ptr<Handle> separate(const Options& options);
    ~Handle();

    const Options& options() const noexcept { return options_; }
    std::uint64_t id() const noexcept { return id_; }

    // Throws SWB_ERR_FORKED, SWB_ERR_CLOSED or SWB_ERR_GONE.
    void check_usable() const {
        if (const Result result = usable(); result != SWB_OK) [[unlikely]]
            refuse(result);
    }
    Result usable() const noexcept {
        if (!fork_guard_.same_process()) [[unlikely]]
            return SWB_ERR_FORKED;
        if (closed_.load(std::memory_order_relaxed)) [[unlikely]]
            return SWB_ERR_CLOSED;
        if (place_.lost()) [[unlikely]]
            return SWB_ERR_GONE;
        return SWB_OK;
    }

    // ---- publishing (publish.cpp) ----
    std::shared_ptr<EventType> event_type(std::string_view name) { return types_.resolve(*attachment_, name); }
    EventTypes& event_types() noexcept { return types_; }
    Attachment& attachment() const noexcept { return *attachment_; }
    // Memory for a payload of that many bytes, to be published without a copy, and back unpublished.
    std::byte* loan(std::uint64_t bytes);
    void give_back(const void* loan);
    // The calling thread's writer; leases one the first time. Throws SWB_ERR_WRITERS_FULL.
    Writer& writer() {
        Writer* const last = last_writer_;
        if (last != nullptr && last->handle() == id_) [[likely]]
            return *last;
        return find_writer();
    }
    void thread_ended(Writer& writer) noexcept;

    // ---- subscribing (subscribe.cpp) ----
    std::uint64_t subscribe(std::string_view patterns, swb_handler* handler, void* user);
    void unsubscribe(std::uint64_t id);
    // Everything that another handle was subscribed to, under the same ids.
    void take_over_subscriptions(Handle& other);

    // ---- receiving (receive.cpp) ----
    Result receive(std::int64_t timeout_ns, swb_event* events, std::size_t capacity, std::size_t& count);
    Result release();
    // Readable when there may be something to receive; the handle's own. Throws SWB_ERR_NOT_SUBSCRIBED.
    int descriptor();
    Result run_once(std::int64_t timeout_ns, std::size_t& handled);
    Result run();
    Result stop() noexcept;
    bool stop_is_pending() const noexcept { return (interrupted_.load(std::memory_order_seq_cst) & kStopped) != 0; }
    bool has_inbox() const noexcept { return inbox_.load(std::memory_order_acquire) != nullptr; }
    Losses losses();

    void close() noexcept;

private:
    Handle(std::shared_ptr<Attachment> attachment, Options options);

    struct ThreadWriter {
        std::uint64_t handle;
        std::shared_ptr<Writer> writer;
    };
    using ThreadWriters = std::vector<ThreadWriter>;

    [[noreturn]] void refuse(Result result) const;
    [[gnu::cold]] Writer& find_writer();
    static void give_back_writers(void* list);
    static ThreadWriters& thread_writers();
    static void forget_closed_handles(ThreadWriters& writers);
    class ReceiverTurn;
    void store_subscriptions(Subscriptions wanted);
    Result receive_in_turn(std::int64_t timeout_ns, swb_event* events, std::size_t capacity, std::size_t& count, bool tell_losses);
    void dispatch(const swb_event& event);
    static constexpr std::uint32_t kStopped = 1;
    static constexpr std::uint32_t kClosed = 2;
    void interrupt(std::uint32_t reason) noexcept;
    bool take_stop() noexcept {
        if ((interrupted_.load(std::memory_order_relaxed) & kStopped) == 0) [[likely]]
            return false;
        interrupted_.fetch_and(~kStopped, std::memory_order_relaxed);
        return true;
    }
    std::size_t unhandled() const noexcept { return batch_count_ - handled_in_batch_; }
    std::size_t take_unhandled(swb_event* events, std::size_t capacity) noexcept;
    void finish_close() noexcept;
    void send_waiters_away() noexcept;
    bool try_turn() noexcept;
    bool take_turn(bool to_receive) noexcept;

    // The writer this thread used last, kept alive by the thread's list. One word, so that a signal
    // handler that publishes by another handle never leaves half of it changed; without a destructor,
    // so that it works at any time of a thread's end.
    [[gnu::tls_model("initial-exec")]] inline static constinit thread_local Writer* last_writer_ = nullptr;

    const std::shared_ptr<Attachment> attachment_;
    const ForkGuard fork_guard_;  // the attachment's, as is the next
    const Attachment::Place place_;
    const Options options_;
    const std::uint64_t id_;

    std::atomic<bool> closed_{false};
    std::atomic<std::uint32_t> interrupted_{0};  // reasons why a receiver must not wait

    EventTypes types_;
    std::mutex writers_mutex_;
    std::vector<std::shared_ptr<Writer>> writers_;  // shared with the threads they belong to

    std::mutex subscriptions_mutex_;  // one change at a time
    SubscriptionList subscriptions_;
    std::uint64_t next_subscription_ = 1;
    std::atomic<Inbox*> inbox_{nullptr};
    std::unique_ptr<Inbox> owned_inbox_;

    // The receiver's.
    std::atomic<std::uint32_t> receiver_{0};  // thread id of who receives, dispatches or closes
    std::atomic<std::uint32_t> turns_waited_for_{0};
    bool close_deferred_ = false;  // a handler closed the handle: the receiver finishes that
    // What run_once() took; a stop leaves some of it for the next receiving call.
    std::vector<swb_event> batch_;
    std::size_t batch_count_ = 0, handled_in_batch_ = 0;
    // Held while one handler runs; shared with the handle that comes in this one's place.
    std::shared_ptr<std::recursive_mutex> dispatch_mutex_ = std::make_shared<std::recursive_mutex>();
};

}  // namespace swarmbus::core
