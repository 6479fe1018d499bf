// A publisher process's own shared memory for payloads that don't fit in a slot: one file, which
// readers map without write access. What is free is this process's own business: it follows from where
// the heads of the inboxes stand, no counter is shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <unordered_map>
#include <vector>

#include "src/arena/free_space.hpp"
#include "src/segment/companion.hpp"
#include "src/segment/segment.hpp"
#include "src/words/position.hpp"

namespace swarmbus::core {

inline constexpr std::uint64_t kLargestPayload = std::uint64_t{64} << 20;

// An inbox that has been given a chunk: at which position.
struct ChunkHolder {
    std::uint32_t inbox;
    std::uint64_t gate_generation;
    Position at;
};

// An inbox pins at most as much as is still free, so that one that is not read never takes the room of
// all others.
enum class Pin {
    allowed,
    after_eviction,  // of events that it has not received yet
    refused,         // by what its reader holds
};

class Arena {
public:
    // Makes the file. Throws SWB_ERR_NO_SPACE, SWB_ERR_SYSTEM.
    Arena(Segment& segment, const ArenaName& name, std::uint64_t bytes);
    ~Arena();
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    // Its process leaves the bus. Unlinks the file, unless somebody still has something to read there: then a
    // reaper does later. Loans stay mapped until the destructor, which leaves if that was not done.
    void leave() noexcept;

    const ArenaName& name() const noexcept { return name_; }
    std::uint64_t bytes() const noexcept { return bytes_; }
    // Whether readers can still find the file.
    bool is_named() const noexcept;

    // A chunk that nobody else has; its memory is there. Nothing if none is free. Throws SWB_ERR_NO_SPACE.
    std::optional<std::uint64_t> take(std::uint64_t bytes);
    std::byte* at(std::uint64_t offset) const noexcept { return base_ + offset; }
    // A chunk that the program has, until somebody takes it back to publish it or to give it back.
    void set_lent(std::uint64_t offset, bool lent) noexcept { chunks_.at(offset).lent = lent; }
    // The one that begins there, and its size.
    std::optional<std::uint64_t> lent_chunk(const std::byte* begin) const noexcept;
    std::uint64_t chunk_bytes(std::uint64_t offset) const noexcept;

    // Whether an inbox may be given one more chunk.
    Pin may_pin(std::uint32_t inbox);
    // From now on the chunk is free once none of these can look at it any more.
    void publish(std::uint64_t offset, std::span<const ChunkHolder> holders);
    void give_back(std::uint64_t offset);

    std::uint64_t free_bytes() const noexcept { return space_.free_bytes(); }
    // Takes back what nobody can look at any more.
    void reclaim();
    // Whether nobody has anything there.
    bool is_idle() const noexcept { return chunks_.empty(); }

private:
    struct Chunk {
        std::uint64_t bytes = 0;
        bool lent = false;
        bool published = false;
        std::vector<ChunkHolder> holders;
    };

    bool held(const ChunkHolder& holder) const noexcept;
    bool drop_past_holders(Chunk& chunk);
    void free_chunk(std::map<std::uint64_t, Chunk>::iterator chunk);
    void provide_memory(std::uint64_t offset, std::uint64_t bytes);
    void unmap() noexcept;

    Segment& segment_;
    const ArenaName name_;
    const std::string path_;
    const std::uint64_t bytes_;
    bool left_ = false;
    ino_t inode_ = 0;
    std::byte* base_ = nullptr;
    std::uint64_t accessible_ = 0;  // from the beginning: mapped without access a host that locks its memory allocates none
    FreeSpace space_;
    std::map<std::uint64_t, Chunk> chunks_;                    // by offset
    std::deque<std::uint64_t> oldest_first_;                   // published chunks
    std::unordered_map<std::uint32_t, std::uint64_t> pinned_;  // bytes by inbox
    std::vector<bool> has_memory_;                             // by page
    std::uint64_t pages_with_memory_ = 0, pages_in_use_ = 0;
};

}  // namespace swarmbus::core
