// This process on a bus: its entry in the participant table, and the lock that proves it lives.
//
// One per process and bus, shared by all handles of the process.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/inbox/publish_side.hpp"
#include "src/inbox/reader.hpp"
#include "src/life/control_lock.hpp"
#include "src/life/fork_guard.hpp"
#include "src/segment/segment.hpp"

namespace swarmbus::core {

class Attachment final : public DeathEvidence, public WriterLiveness {
public:
    struct Request {
        std::string bus;
        OpenMode mode = OpenMode::open_or_create;
        Limits limits;
        mode_t permissions = 0600;
        std::string participant_name;
    };
    // The process's attachment to that bus, or a new one. Throws Error.
    static std::shared_ptr<Attachment> to(const Request& request);
    ~Attachment();
    Attachment(const Attachment&) = delete;
    Attachment& operator=(const Attachment&) = delete;

    Segment& segment() const noexcept { return *segment_; }
    ControlLock& control() noexcept { return control_; }
    std::uint32_t participant() const noexcept { return participant_; }
    std::uint32_t generation() const noexcept { return generation_; }
    bool barrier_registered() const noexcept { return barrier_registered_; }
    const ForkGuard& fork_guard() const noexcept { return fork_guard_; }
    bool same_process() const noexcept { return fork_guard_.same_process(); }

    // Evidence about others; each asks the kernel, so not for every event.
    bool looks_dead(std::uint32_t writer) override;
    bool proven_dead(std::uint32_t writer) override;
    // The owner of an inbox: whether its lock is free.
    bool owner_looks_dead(std::uint32_t inbox);

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
    bool participant_lock_free(std::uint32_t participant, std::uint32_t generation) noexcept;
    static void prepare_fork() noexcept;
    static void resume_parent() noexcept;
    static void abandon_in_child() noexcept;

    std::unique_ptr<Segment> segment_;
    ControlLock control_;
    ForkGuard fork_guard_;
    std::uint32_t participant_ = 0;
    std::uint32_t generation_ = 0;
    bool barrier_registered_ = false;
    bool joined_ = false;
    std::vector<std::atomic<std::uint32_t>> view_holders_;
};

}  // namespace swarmbus::core
