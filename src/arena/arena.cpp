#include "src/arena/arena.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "src/error.hpp"
#include "src/segment/memory.hpp"
#include "src/words/inbox_words.hpp"

namespace swarmbus::core {
namespace {

// Free memory that stays taken, so that a stream of large events does not have every page cleared anew.
constexpr std::uint64_t kKeptPages = (std::uint64_t{16} << 20) / SWB_PAGE;

Descriptor open_file(const std::string& path, int flags) { return open_above_standard_streams(path, flags | O_NOFOLLOW, 0600); }

}  // namespace

Arena::Arena(Segment& segment, const ArenaName& name, std::uint64_t bytes)
    : segment_(segment),
      name_(name),
      path_(arena_path(segment, name)),
      bytes_(to_pages(bytes)),
      space_(bytes_),
      has_memory_(bytes_ / SWB_PAGE) {
    make_companion_directory(segment);
    struct stat st {};
    try {
        const Descriptor file = open_file(path_, O_RDWR | O_CREAT | O_EXCL);
        if (file.get() < 0) throw system_error(SWB_ERR_SYSTEM, "making the arena for large events, " + path_, errno);
        if (::ftruncate(file.get(), static_cast<off_t>(bytes_)) != 0 || ::fstat(file.get(), &st) != 0) {
            throw system_error(SWB_ERR_NO_SPACE, "sizing " + path_ + " (ftruncate)", errno);
        }
        share_like_bus(segment, path_, false);
        void* at = ::mmap(nullptr, bytes_, PROT_NONE, MAP_SHARED | MAP_NORESERVE, file.get(), 0);
        if (at == MAP_FAILED) throw system_error(SWB_ERR_NO_SPACE, "mapping the arena for large events (see ulimit -v)", errno);
        base_ = static_cast<std::byte*>(at);
    } catch (const Error&) {
        ::unlink(path_.c_str());  // no name comes twice: whatever is there is ours
        throw;
    }
    ::madvise(base_, bytes_, MADV_DONTDUMP);
    ::madvise(base_, bytes_, MADV_DONTFORK);
    inode_ = st.st_ino;
}

Arena::~Arena() {
    leave();
    ::munmap(base_, bytes_);
}

void Arena::leave() noexcept {
    if (std::exchange(left_, true)) return;
    reclaim();
    const bool unread = std::any_of(chunks_.begin(), chunks_.end(), [](const auto& chunk) { return chunk.second.published; });
    if (!unread) ::unlink(path_.c_str());
}

bool Arena::is_named() const noexcept {
    struct stat st {};
    return ::stat(path_.c_str(), &st) == 0 && st.st_ino == inode_;
}

std::optional<std::uint64_t> Arena::take(std::uint64_t bytes) {
    bytes = to_pages(std::max<std::uint64_t>(bytes, 1));
    while (!oldest_first_.empty()) {  // in a stream the oldest are the first to be free
        const auto oldest = chunks_.find(oldest_first_.front());
        if (!drop_past_holders(oldest->second)) break;
        oldest_first_.pop_front();
        free_chunk(oldest);
    }
    std::optional<std::uint64_t> offset = space_.take(bytes);
    if (!offset) {
        reclaim();
        offset = space_.take(bytes);
    }
    if (!offset) return std::nullopt;
    try {
        provide_memory(*offset, bytes);
        chunks_[*offset].bytes = bytes;
    } catch (...) {
        space_.give_back(*offset, bytes);
        throw;
    }
    pages_in_use_ += bytes / SWB_PAGE;
    return offset;
}

void Arena::provide_memory(std::uint64_t offset, std::uint64_t bytes) {
    const std::uint64_t first = offset / SWB_PAGE, end = first + bytes / SWB_PAGE;
    std::uint64_t missing = 0;
    for (std::uint64_t page = first; page < end; ++page) missing += has_memory_[page] ? 0 : 1;
    if (missing == 0) return;
    if (offset + bytes > accessible_) {
        if (::mprotect(base_, offset + bytes, PROT_READ | PROT_WRITE) != 0) {
            throw system_error(SWB_ERR_SYSTEM, "opening the memory of a large event (mprotect)", errno);
        }
        accessible_ = offset + bytes;
    }
    const Descriptor file = open_file(path_, O_RDWR);
    if (file.get() < 0) throw system_error(SWB_ERR_SYSTEM, "opening " + path_, errno);
    if (const int error = allocate_memory(file.get(), offset, bytes)) {
        // All of it, also what was kept here: nobody uses it, and somebody needs it.
        give_memory_back(file.get(), offset, bytes);
        for (std::uint64_t page = first; page < end; ++page) has_memory_[page] = false;
        pages_with_memory_ -= end - first - missing;
        throw no_space(file.get(), bytes, "a large event", error);
    }
    for (std::uint64_t page = first; page < end; ++page) has_memory_[page] = true;
    pages_with_memory_ += missing;
}

std::optional<std::uint64_t> Arena::lent_chunk(const std::byte* begin) const noexcept {
    if (begin < base_ || begin >= base_ + bytes_) return std::nullopt;
    const auto found = chunks_.find(static_cast<std::uint64_t>(begin - base_));
    return found != chunks_.end() && found->second.lent ? std::optional(found->first) : std::nullopt;
}

std::uint64_t Arena::chunk_bytes(std::uint64_t offset) const noexcept { return chunks_.at(offset).bytes; }

Pin Arena::may_pin(std::uint32_t inbox) {
    const auto pinned = [&] {
        const auto found = pinned_.find(inbox);
        return found == pinned_.end() ? 0 : found->second;
    };
    if (pinned() <= space_.free_bytes()) return Pin::allowed;
    reclaim();
    if (pinned() <= space_.free_bytes()) return Pin::allowed;
    // As it would be if all were evicted that is not received yet.
    const Position head = words::load_head(segment_.inbox(inbox)).at();
    std::uint64_t held = 0, free = space_.free_bytes();
    for (const auto& [offset, chunk] : chunks_) {
        for (const ChunkHolder& holder : chunk.holders) {
            if (holder.inbox != inbox) continue;
            if (distance(head, holder.at) > 0) held += chunk.bytes;
            else if (chunk.holders.size() == 1) free += chunk.bytes;
        }
    }
    return held <= free ? Pin::after_eviction : Pin::refused;
}

void Arena::publish(std::uint64_t offset, std::span<const ChunkHolder> holders) {
    const auto found = chunks_.find(offset);
    Chunk& chunk = found->second;
    if (holders.empty()) return free_chunk(found);
    chunk.holders.assign(holders.begin(), holders.end());
    for (const ChunkHolder& holder : holders) pinned_[holder.inbox] += chunk.bytes;
    chunk.published = true;
    oldest_first_.push_back(offset);
}

void Arena::give_back(std::uint64_t offset) { free_chunk(chunks_.find(offset)); }

// Whether that inbox's reader may still look at the event. Head first: what it has passed is covered by
// the holding that is read then.
bool Arena::held(const ChunkHolder& holder) const noexcept {
    swb_l_inbox& inbox = segment_.inbox(holder.inbox);
    const Gate gate = words::load_gate(inbox);
    if (gate.generation() != holder.gate_generation || gate.status() == SWB_GATE_FREE || gate.status() == SWB_GATE_FREED) return false;
    if (distance(words::load_head(inbox).at(), holder.at) <= 0) return true;
    const Holding holding = words::load_holding(inbox);
    const std::int64_t within = distance(holder.at, holding.first());
    return within >= 0 && within < holding.count();
}

// True if nobody is left.
bool Arena::drop_past_holders(Chunk& chunk) {
    std::erase_if(chunk.holders, [&](const ChunkHolder& holder) {
        if (held(holder)) return false;
        pinned_[holder.inbox] -= chunk.bytes;
        return true;
    });
    return chunk.holders.empty();
}

void Arena::reclaim() {
    std::erase_if(oldest_first_, [&](std::uint64_t offset) {
        const auto chunk = chunks_.find(offset);
        if (!drop_past_holders(chunk->second)) return false;
        free_chunk(chunk);
        return true;
    });
}

void Arena::free_chunk(std::map<std::uint64_t, Chunk>::iterator chunk) {
    const std::uint64_t offset = chunk->first, bytes = chunk->second.bytes, pages = bytes / SWB_PAGE;
    chunks_.erase(chunk);
    space_.give_back(offset, bytes);
    pages_in_use_ -= pages;
    if (pages_with_memory_ - pages_in_use_ <= kKeptPages) return;
    const Descriptor file = open_file(path_, O_RDWR);
    if (file.get() < 0) return;
    give_memory_back(file.get(), offset, bytes);
    for (std::uint64_t page = offset / SWB_PAGE; page < (offset + bytes) / SWB_PAGE; ++page) has_memory_[page] = false;
    pages_with_memory_ -= pages;
}

}  // namespace swarmbus::core
