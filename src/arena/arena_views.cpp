#include "src/arena/arena_views.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <exception>

#include "src/life/cancellation.hpp"
#include "src/segment/memory.hpp"

namespace swarmbus::core {
namespace {

constexpr std::uint64_t kPayloadAlignment = 8;  // promised to receivers

}  // namespace

ArenaViews::~ArenaViews() {
    for (const View& view : views_) ::munmap(view.base, view.bytes);
}

const std::byte* ArenaViews::find(const swb_l_large& large) noexcept {
    const ArenaName name{large.participant, large.serial, large.participant_generation};
    const auto known = std::find_if(views_.begin(), views_.end(), [&](const View& view) { return view.name == name; });
    View* view = known != views_.end() ? &*known : map(name);
    if (view == nullptr || large.bytes == 0 || large.bytes > view->bytes || large.offset > view->bytes - large.bytes) return nullptr;
    if (large.offset % kPayloadAlignment != 0) return nullptr;
    return view->open(large.offset + large.bytes) ? view->base + large.offset : nullptr;
}

// Once for each part that is seen the first time, not for each event.
bool ArenaViews::View::open(std::uint64_t end) noexcept {
    if (end <= accessible) return true;
    if (::mprotect(base, to_pages(end), PROT_READ) != 0) return false;
    accessible = to_pages(end);
    return true;
}

ArenaViews::View* ArenaViews::map(const ArenaName& name) noexcept try {
    const HoldCancellation hold;
    views_.reserve(views_.size() + 1);
    const Descriptor file = open_above_standard_streams(arena_path(segment_, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    struct stat st {};
    if (file.get() < 0 || ::fstat(file.get(), &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0) return nullptr;
    const auto bytes = static_cast<std::uint64_t>(st.st_size);
    void* at = ::mmap(nullptr, bytes, PROT_NONE, MAP_SHARED | MAP_NORESERVE, file.get(), 0);
    if (at == MAP_FAILED) return nullptr;
    ::madvise(at, bytes, MADV_DONTDUMP);
    views_.push_back({name, static_cast<std::byte*>(at), bytes, 0});
    many_ = views_.size() >= forget_at_;
    return &views_.back();
} catch (const std::exception&) {
    return nullptr;
}

void ArenaViews::unmap_unnamed() noexcept try {
    const HoldCancellation hold;
    std::erase_if(views_, [&](const View& view) {
        if (::access(arena_path(segment_, view.name).c_str(), F_OK) == 0) return false;
        ::munmap(view.base, view.bytes);
        return true;
    });
    forget_at_ = std::max(kMany, 2 * views_.size());
    many_ = false;
} catch (const std::exception&) {
    // Short of memory: another time.
}

}  // namespace swarmbus::core
