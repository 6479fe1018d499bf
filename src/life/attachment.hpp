// This process on a bus: its entry in the participant table, and the lock that proves it lives.
//
// One per process and bus, shared by all handles of the process.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/arena/arenas.hpp"
#include "src/inbox/publish_side.hpp"
#include "src/inbox/reader.hpp"
#include "src/life/control_lock.hpp"
#include "src/life/fork_guard.hpp"
#include "src/life/participant.hpp"
#include "src/life/reaper.hpp"
#include "src/overflow.hpp"
#include "src/segment/segment.hpp"
#include "src/words/table_words.hpp"

namespace swarmbus::core {

class Registry;

// Is told of life and death; publishes them as events.
class LifeObserver {
public:
    virtual ~LifeObserver() = default;
    virtual void joined() noexcept = 0;
    virtual void leaving() noexcept = 0;  // the last call
    virtual void departed(const std::vector<Departed>& others) noexcept = 0;
    virtual void look_for_slow_subscribers() noexcept = 0;
    virtual void lost(std::uint32_t inbox, const Losses& losses) noexcept = 0;
};

class Attachment final : public DeathEvidence, public WriterLiveness {
public:
    struct Request {
        std::string bus;
        OpenMode mode = OpenMode::open_or_create;
        Limits limits;
        mode_t permissions = 0600;
        std::string participant_name;
        std::uint64_t arena_bytes = 0;  // 0: the default, or whatever the process's attachment has
        std::unique_ptr<LifeObserver> (*observe)(Attachment&) = nullptr;
    };
    // The process's attachment to that bus, or a new one, for one more handle. Throws Error.
    static std::shared_ptr<Attachment> to(const Request& request);
    ~Attachment();
    Attachment(const Attachment&) = delete;
    Attachment& operator=(const Attachment&) = delete;

    // For one more handle; false if the last one has closed.
    bool share() noexcept;
    // With the last of its handles the process leaves the bus: those who still have this object find it gone.
    void handle_closed() noexcept;

    Segment& segment() const noexcept { return *segment_; }
    ControlLock& control() noexcept { return control_; }
    std::uint32_t participant() const noexcept { return participant_; }
    std::uint32_t generation() const noexcept { return generation_; }
    bool barrier_registered() const noexcept { return barrier_registered_; }
    const ForkGuard& fork_guard() const noexcept { return fork_guard_; }
    bool same_process() const noexcept { return fork_guard_.same_process(); }
    std::string_view name() const noexcept { return name_; }

    // Whether this process is no part of the bus any more: the bus was removed, or others took the
    // process for dead because its host had closed the descriptor of its lock. One load.
    bool gone() const noexcept { return place().lost(); }
    // For those who ask with every event: where to look, and what is there as long as all is well.
    struct Place {
        std::uint64_t* state;
        std::uint64_t mine;
        bool lost() const noexcept { return words::load_published(*state) != mine; }
    };
    Place place() const noexcept { return {&segment_->participant(participant_).state, state_}; }
    // Why, and what to do.
    std::string why_gone() const;

    // Evidence about others; each asks the kernel, so not for every event.
    bool looks_dead(std::uint32_t writer) override;
    bool proven_dead(std::uint32_t writer) override;
    // The owner of an inbox: whether its lock is free. When it is proven dead the inbox is closed, so
    // that no publisher waits for it again.
    bool owner_looks_dead(std::uint32_t inbox);

    // Reaps if somebody departed and the control lock is to be had within that time.
    void reap(std::uint64_t patience_ns) noexcept;
    // The same, if looks_dead() has found somebody since.
    void reap_if_stalled() noexcept {
        if (stalled_on_the_dead_.load(std::memory_order_relaxed)) [[unlikely]] {
            stalled_on_the_dead_.store(false, std::memory_order_relaxed);
            reap(0);
        }
    }
    // What every process looks after once a second: its own place on the bus, and by one process of
    // all, whether others have died. For receivers, when they are idle or have caught up.
    void look_around(std::uint64_t now_ns) noexcept {
        if (now_ns >= next_look_ns_.load(std::memory_order_relaxed)) [[unlikely]]
            look_around_now(now_ns);
    }
    // For publishers, who may be in a signal handler: allocates nothing unless something is wrong.
    void look_after_own_place() noexcept;

    // Memory for large payloads.
    Arenas& arenas() noexcept { return *arenas_; }

    // The types with schemas.
    Registry& registry() noexcept { return *registry_; }

    LifeObserver* observer() const noexcept { return observer_.get(); }

    // Which thread of this process holds views of an inbox or runs its handlers; 0: none, or the
    // inbox is another process's. That thread must not wait for room there.
    std::uint32_t view_holder(std::uint32_t inbox) const noexcept { return view_holders_[inbox].load(std::memory_order_relaxed); }
    void set_view_holder(std::uint32_t inbox, std::uint32_t thread_id) noexcept {
        view_holders_[inbox].store(thread_id, std::memory_order_relaxed);
    }

private:
    explicit Attachment(std::unique_ptr<Segment> segment);
    void join(std::string_view name);
    void leave() noexcept;
    Condition condition(std::uint32_t participant, std::uint32_t generation) noexcept;
    Condition writer_condition(std::uint32_t writer) noexcept;
    [[gnu::cold]] void look_around_now(std::uint64_t now_ns) noexcept;
    bool time_to_look(std::uint64_t now_ns) noexcept;
    bool elected_to_probe(std::uint64_t now_ns) noexcept;
    static void prepare_fork() noexcept;
    static void resume_parent() noexcept;
    static void abandon_in_child() noexcept;

    std::uint32_t handles_ = 0;  // under the mutex of all attachments
    bool left_ = false;
    std::unique_ptr<Segment> segment_;
    ControlLock control_;
    const std::unique_ptr<Registry> registry_;
    ForkGuard fork_guard_;
    std::string name_;
    std::uint32_t participant_ = kNoParticipant;
    std::uint32_t generation_ = 0;
    std::uint64_t state_ = 0;  // of the entry, for as long as we are part of the bus
    bool barrier_registered_ = false;
    std::atomic<bool> stalled_on_the_dead_{false};
    std::atomic<std::uint64_t> next_look_ns_{0};
    std::vector<std::atomic<std::uint32_t>> view_holders_;
    std::optional<Arenas> arenas_;
    std::unique_ptr<LifeObserver> observer_;
    std::vector<Departed> departed_;  // whom joining found
};

}  // namespace swarmbus::core
