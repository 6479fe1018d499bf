// The control lock: one control operation (attach, detach, subscribe, new type, …) at a time.
//
// A lock on a byte of the segment file, so that the kernel frees it when its holder dies, plus a
// mutex among the threads of this process. Never held while publishing or receiving.
#pragma once

#include <mutex>
#include <utility>

#include "src/segment/segment.hpp"

namespace swarmbus::core {

class ControlLock {
public:
    // How long a control operation waits for another process.
    static constexpr std::uint64_t kPatienceNs = 2'000'000'000;

    explicit ControlLock(Segment& segment) noexcept : segment_(segment) {}

    // Held from acquire() until destroyed. Between mark_dirty() and mark_clean() the derived data
    // (routes) may disagree with the primary: whoever finds the mark left by a dead holder rebuilds.
    class Guard {
    public:
        ~Guard();
        Guard(Guard&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)), threads_(std::move(other.threads_)) {}
        Guard& operator=(Guard&&) = delete;
        void mark_dirty() noexcept;
        void mark_clean() noexcept;  // and adds one to the generation of the control data

    private:
        friend class ControlLock;
        Guard(ControlLock& owner, std::unique_lock<std::mutex> threads) noexcept : owner_(&owner), threads_(std::move(threads)) {}
        ControlLock* owner_;
        std::unique_lock<std::mutex> threads_;
    };

    // Throws SWB_ERR_BUSY naming the holder's pid when the lock can't be had in time. Rebuilds the
    // routes when the last holder died in the middle of an operation.
    Guard acquire(std::uint64_t patience_ns = kPatienceNs);

private:
    Segment& segment_;
    std::mutex threads_;
};

}  // namespace swarmbus::core
