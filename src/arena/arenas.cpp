#include "src/arena/arenas.hpp"

#include <string>

#include "src/error.hpp"
#include "src/life/cancellation.hpp"
#include "src/life/process.hpp"
#include "src/segment/memory.hpp"

namespace swarmbus::core {

// One thread at a time; a signal handler that interrupted it is refused instead of waiting for ever. The
// lock is the name of its thread: with the two apart a handler could come in between.
class Arenas::Turn {
public:
    explicit Turn(Arenas& arenas) : busy_(arenas.busy_thread_) {
        const std::uint32_t self = this_thread();
        for (std::uint32_t other = 0; !busy_.compare_exchange_strong(other, self, std::memory_order_acquire); other = 0) {
            if (other == self) {
                throw Error(SWB_ERR_REENTRANT,
                            "a signal handler can't publish a large event while its thread does; publish from elsewhere");
            }
            busy_.wait(other, std::memory_order_relaxed);
        }
    }
    ~Turn() {
        busy_.store(0, std::memory_order_release);
        busy_.notify_one();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

private:
    const HoldCancellation hold_;
    std::atomic<std::uint32_t>& busy_;
};

Arena& Arenas::current(std::uint64_t bytes) {
    forget_old();
    const std::uint64_t wanted = bytes_.load(std::memory_order_relaxed);
    const bool usable = !arenas_.empty() && arenas_.back()->is_named() && arenas_.back()->bytes() >= wanted;
    const std::uint64_t size = usable ? arenas_.back()->bytes() : wanted;
    if (bytes > size) {
        throw Error(SWB_ERR_TOO_LARGE, "a payload of " + mebibytes(bytes) + " is larger than this process's arena of " + mebibytes(size) +
                                           "; open the bus with larger arena_bytes");
    }
    if (usable) return *arenas_.back();
    arenas_.push_back(std::make_unique<Arena>(segment_, ArenaName{participant_, next_serial_, generation_}, size));
    ++next_serial_;
    return *arenas_.back();
}

// Files that were removed, and arenas that became too small.
void Arenas::forget_old() {
    const Arena* const last = arenas_.empty() ? nullptr : arenas_.back().get();
    std::erase_if(arenas_, [&](const std::unique_ptr<Arena>& arena) {
        if (arena.get() == last) return false;
        arena->reclaim();
        return arena->is_idle();
    });
}

LoanedChunk Arenas::take(std::uint64_t bytes) {
    if (bytes > kLargestPayload) {
        throw Error(SWB_ERR_TOO_LARGE, "a payload has at most " + mebibytes(kLargestPayload) + ", this one " + mebibytes(bytes));
    }
    const Turn turn(*this);
    Arena& arena = current(bytes);
    if (const auto offset = arena.take(bytes)) return {&arena, *offset};
    throw Error(SWB_ERR_ARENA_FULL, "the arena for large events (" + mebibytes(arena.bytes()) + ", of which " +
                                        mebibytes(arena.free_bytes()) + " are free) has no " + mebibytes(bytes) +
                                        " in one piece: subscribers have not received yet what lies there; wait, or open the bus with "
                                        "larger arena_bytes");
}

void Arenas::lend(const LoanedChunk& chunk) {
    const Turn turn(*this);
    chunk.arena->set_lent(chunk.offset, true);
}

LoanedChunk Arenas::find(const void* memory, std::uint64_t bytes) {
    const Turn turn(*this);
    for (const auto& arena : arenas_) {
        const auto offset = arena->lent_chunk(static_cast<const std::byte*>(memory));
        if (!offset) continue;
        if (bytes <= arena->chunk_bytes(*offset)) {
            arena->set_lent(*offset, false);
            return {arena.get(), *offset};
        }
        throw Error(SWB_ERR_ARGUMENT, "the loan has " + std::to_string(arena->chunk_bytes(*offset)) + " bytes, " + std::to_string(bytes) +
                                          " are to be published; ask swb_loan() for as many");
    }
    throw Error(SWB_ERR_ARGUMENT, "this memory is no loan of this bus (published or given back already?)");
}

Pin Arenas::may_pin(const LoanedChunk& chunk, std::uint32_t inbox) noexcept try {
    const Turn turn(*this);
    return chunk.arena->may_pin(inbox);
} catch (const std::exception&) {
    return Pin::refused;
}

void Arenas::publish(const LoanedChunk& chunk, std::span<const ChunkHolder> holders) noexcept try {
    const Turn turn(*this);
    chunk.arena->publish(chunk.offset, holders);
} catch (const std::exception&) {}

void Arenas::give_back(const LoanedChunk& chunk) {
    const Turn turn(*this);
    chunk.arena->give_back(chunk.offset);
}

void Arenas::abandon() noexcept {
    for (auto& arena : arenas_) static_cast<void>(arena.release());  // its destructor would unlink the file
}

}  // namespace swarmbus::core
