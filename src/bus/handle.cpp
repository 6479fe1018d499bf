#include "src/bus/handle.hpp"

#include <pthread.h>
#include <time.h>

#include <algorithm>

#include "src/bus/presence.hpp"
#include "src/clock/clock.hpp"
#include "src/error.hpp"
#include "src/life/process.hpp"
#include "src/life/cancellation.hpp"
#include "src/life/inbox_table.hpp"
#include "src/life/membarrier.hpp"
#include "src/waking/futex.hpp"
#include "src/waking/wake.hpp"
#include "src/words/waking_words.hpp"

namespace swarmbus::core {
namespace {

// Handles by id, for threads that end: their writers go back to handles that are still open.
std::mutex handles_mutex;
std::vector<std::pair<std::uint64_t, std::weak_ptr<Handle>>>& open_handles() {
    static auto* handles = new std::vector<std::pair<std::uint64_t, std::weak_ptr<Handle>>>;  // outlives statics
    return *handles;
}

constexpr timespec kPause{0, 50'000};

std::uint64_t next_handle_id() {
    static std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

// False: we were taken for dead, and the inbox is somebody else's by now.
bool owns(const Attachment& attachment, std::uint32_t inbox) noexcept {
    const swb_l_subscriber& entry = attachment.segment().subscriber(inbox);
    return entry.participant == attachment.participant() && entry.participant_generation == attachment.generation();
}

}  // namespace

std::shared_ptr<Handle> Handle::open(const std::string& bus, const Options& options) {
    const HoldCancellation hold;
    static std::once_flag fork_handlers;
    std::call_once(fork_handlers, [] {
        const auto unlock = [] { handles_mutex.unlock(); };
        ::pthread_atfork([] { handles_mutex.lock(); }, unlock, unlock);
    });
    std::shared_ptr<Attachment> attachment =
        Attachment::to({bus, options.open_mode, options.limits, options.permissions, options.source, options.arena_bytes, Presence::of});
    std::shared_ptr<Handle> handle(new Handle(std::move(attachment), options));
    const std::lock_guard lock(handles_mutex);
    open_handles().emplace_back(handle->id(), handle);
    return handle;
}

std::shared_ptr<Handle> Handle::separate(const Options& options) {
    check_usable();
    if (!attachment_->share()) refuse(SWB_ERR_CLOSED);
    std::shared_ptr<Handle> handle(new Handle(attachment_, options));
    const std::lock_guard lock(handles_mutex);
    open_handles().emplace_back(handle->id(), handle);
    return handle;
}

Handle::Handle(std::shared_ptr<Attachment> attachment, Options options)
    : attachment_(std::move(attachment)),
      fork_guard_(attachment_->fork_guard()),
      place_(attachment_->place()),
      options_(std::move(options)),
      id_(next_handle_id()) {}

Handle::~Handle() { close(); }

void Handle::refuse(Result result) const {
    throw Error(result, result == SWB_ERR_GONE ? attachment_->why_gone() : swb_result_text(result));
}

void Handle::give_back_writers(void* list) {
    const std::unique_ptr<ThreadWriters> writers(static_cast<ThreadWriters*>(list));
    last_writer_ = nullptr;
    for (const ThreadWriter& mine : *writers) {
        std::shared_ptr<Handle> handle;
        {
            const std::lock_guard lock(handles_mutex);
            for (const auto& [id, known] : open_handles()) {
                if (id == mine.handle) handle = known.lock();
            }
        }
        if (handle) handle->thread_ended(*mine.writer);  // else it was given back when its handle closed
    }
}

// A key, not a thread_local with a destructor: keys are destroyed after those, and again when a
// destructor published.
Handle::ThreadWriters& Handle::thread_writers() {
    static const pthread_key_t key = [] {
        pthread_key_t fresh{};
        if (::pthread_key_create(&fresh, give_back_writers) != 0) {
            throw Error(SWB_ERR_SYSTEM, "the process has no thread-specific key left (pthread_key_create)");
        }
        return fresh;
    }();
    auto* writers = static_cast<ThreadWriters*>(::pthread_getspecific(key));
    if (writers == nullptr) {
        writers = new ThreadWriters;
        ::pthread_setspecific(key, writers);
    }
    return *writers;
}

// A thread that opens and closes handles all its life keeps no list of them.
void Handle::forget_closed_handles(ThreadWriters& writers) {
    last_writer_ = nullptr;  // it may be one of them
    const std::lock_guard lock(handles_mutex);
    std::erase_if(writers, [](const ThreadWriter& mine) {
        return std::none_of(open_handles().begin(), open_handles().end(), [&](const auto& open) { return open.first == mine.handle; });
    });
}

Writer& Handle::find_writer() {
    const std::shared_ptr<Handle> self = weak_from_this().lock();  // another thread may close the handle meanwhile
    if (!self) refuse(SWB_ERR_CLOSED);
    ThreadWriters& mine = thread_writers();
    const auto known = std::find_if(mine.begin(), mine.end(), [&](const ThreadWriter& w) { return w.handle == id_; });
    if (known != mine.end()) {
        last_writer_ = known->writer.get();
        return *known->writer;
    }
    forget_closed_handles(mine);
    const auto fresh = std::make_shared<Writer>(attachment_, options_.source, id_);
    const std::lock_guard lock(writers_mutex_);
    check_usable();
    writers_.push_back(fresh);
    mine.push_back({id_, fresh});
    last_writer_ = fresh.get();
    return *fresh;
}

std::byte* Handle::loan(std::uint64_t bytes) {
    check_usable();
    Arenas& arenas = attachment_->arenas();
    const LoanedChunk chunk = arenas.take(bytes);
    arenas.lend(chunk);
    return chunk.memory();
}

void Handle::give_back(const void* loan) {
    check_usable();
    Arenas& arenas = attachment_->arenas();
    arenas.give_back(arenas.find(loan, 0));
}

void Handle::thread_ended(Writer& writer) noexcept {
    const std::lock_guard lock(writers_mutex_);
    writer.give_back();
    std::erase_if(writers_, [&](const std::shared_ptr<Writer>& w) { return w.get() == &writer; });
}

// A reason other than 0 makes a receiver return; the wake word wakes it.
void Handle::interrupt(std::uint32_t reason) noexcept {
    interrupted_.fetch_or(reason, std::memory_order_seq_cst);
    if (Inbox* inbox = inbox_.load(std::memory_order_acquire)) {
        words::bump_wake(inbox->words());
        futex_wake_all(inbox->words().wake);
        wake_reader(attachment_->segment(), inbox->index());  // who waits on the descriptor
    }
}

void Handle::close() noexcept {
    const HoldCancellation hold;
    if (closed_.exchange(true)) return;
    if (!attachment_->same_process()) return;  // a forked child: what is shared belongs to the parent
    {
        const std::lock_guard lock(handles_mutex);
        std::erase_if(open_handles(), [&](const auto& known) { return known.first == id_; });
    }
    interrupt(kClosed);
    if (receiver_.load(std::memory_order_relaxed) == this_thread()) {
        close_deferred_ = true;  // within a handler: the receiving call still uses the inbox
        return;
    }
    take_turn(false);  // a receiver has seen it and left; nobody else gets the turn again
    finish_close();
    send_waiters_away();
}

// Threads that wait for their turn to receive see that the handle is closed.
void Handle::send_waiters_away() noexcept {
    const HoldCancellation hold;
    while (turns_waited_for_.load(std::memory_order_acquire) != 0) ::nanosleep(&kPause, nullptr);
}

void Handle::finish_close() noexcept {
    close_deferred_ = false;
    const std::lock_guard changes(subscriptions_mutex_);
    if (inbox_.exchange(nullptr) != nullptr) {
        owned_inbox_->release();
        owned_inbox_->remove_descriptor();
        attachment_->set_view_holder(owned_inbox_->index(), 0);
        try {
            ControlLock::Guard guard = attachment_->control().acquire();
            if (owns(*attachment_, owned_inbox_->index())) {
                guard.mark_dirty();
                free_inbox(attachment_->segment(), owned_inbox_->index());
                guard.mark_clean();
            }
        } catch (const std::exception&) {
            // The control lock is not to be had: publishers go on writing there until the process
            // ends and whoever finds it dead frees the inbox.
        }
    }
    const std::lock_guard writers(writers_mutex_);
    for (const auto& writer : writers_) writer->close();
    const bool seen = barrier_all_publishers() || !attachment_->barrier_registered();
    for (const auto& writer : writers_) {
        while (writer->inside_publish()) ::nanosleep(&kPause, nullptr);  // it waits for no room any more
        // Where the kernel has come to refuse the barrier, a thread may be just beginning: it keeps its id.
        if (seen) writer->give_back();
    }
    writers_.clear();
    attachment_->handle_closed();
}

}  // namespace swarmbus::core
