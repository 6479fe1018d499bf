// The arenas of this process on a bus: one at a time, made when first needed, and a new one when
// somebody removed the file of the last or it is to be larger. By any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "src/arena/arena.hpp"
#include "src/segment/memory.hpp"

namespace swarmbus::core {

// A chunk on its way into an event, or to the program.
struct LoanedChunk {
    Arena* arena = nullptr;
    std::uint64_t offset = 0;
    std::byte* memory() const noexcept { return arena->at(offset); }
};

class Arenas {
public:
    static constexpr std::uint64_t kDefaultBytes = std::uint64_t{256} << 20;

    Arenas(Segment& segment, std::uint32_t participant, std::uint32_t generation) noexcept
        : segment_(segment), participant_(static_cast<std::uint16_t>(participant)), generation_(generation) {}

    // How large arenas are that are made from now on.
    void set_size(std::uint64_t bytes) noexcept { bytes_.store(to_pages(bytes), std::memory_order_relaxed); }

    // Throws SWB_ERR_TOO_LARGE, SWB_ERR_ARENA_FULL, SWB_ERR_NO_SPACE, SWB_ERR_SYSTEM, and
    // SWB_ERR_REENTRANT in a signal handler that interrupted this.
    LoanedChunk take(std::uint64_t bytes);
    // To the program: any thread may find() it.
    void lend(const LoanedChunk& chunk);
    // The chunk that was lent and that begins there: from now on the caller's alone, to publish, to give
    // back or to lend again. Throws SWB_ERR_ARGUMENT; `bytes` is what is wanted of it.
    LoanedChunk find(const void* memory, std::uint64_t bytes);

    Pin may_pin(const LoanedChunk& chunk, std::uint32_t inbox) noexcept;
    // If memory is too short to remember who holds it, the chunk stays taken.
    void publish(const LoanedChunk& chunk, std::span<const ChunkHolder> holders) noexcept;
    void give_back(const LoanedChunk& chunk);

    std::size_t count() const noexcept { return arenas_.size(); }

    // For a forked child: the files are its parent's.
    void abandon() noexcept;
    // The process leaves the bus.
    void leave() noexcept {
        for (const auto& arena : arenas_) arena->leave();
    }

private:
    class Turn;
    Arena& current(std::uint64_t bytes);
    void forget_old();

    Segment& segment_;
    const std::uint16_t participant_;
    const std::uint32_t generation_;
    std::atomic<std::uint64_t> bytes_{kDefaultBytes};
    std::atomic<std::uint32_t> busy_thread_{0};
    std::uint16_t next_serial_ = 0;
    std::vector<std::unique_ptr<Arena>> arenas_;  // the last is the current one; the others are in use still
};

}  // namespace swarmbus::core
