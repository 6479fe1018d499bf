// Arenas of others as a reader sees them: mapped without write access, found by their names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "src/segment/companion.hpp"
#include "src/segment/layout.h"
#include "src/segment/segment.hpp"

namespace swarmbus::core {

// Used by one thread at a time. What it gives stays valid until forget_old() or its end.
class ArenaViews {
public:
    explicit ArenaViews(const Segment& segment) noexcept : segment_(segment) {}
    ~ArenaViews();
    ArenaViews(const ArenaViews&) = delete;
    ArenaViews& operator=(const ArenaViews&) = delete;

    // The payload; nullptr if its file is gone or has no such place.
    const std::byte* find(const swb_l_large& large) noexcept;
    // Unmaps the arenas of those who are gone, when there are many. Nothing that was given is in use.
    void forget_old() noexcept {
        if (many_) [[unlikely]]
            unmap_unnamed();
    }

private:
    struct View {
        ArenaName name;
        std::byte* base;
        std::uint64_t bytes, accessible;
        bool open(std::uint64_t end) noexcept;
    };
    View* map(const ArenaName& name) noexcept;
    [[gnu::cold]] void unmap_unnamed() noexcept;

    const Segment& segment_;
    std::vector<View> views_;
    static constexpr std::size_t kMany = 16;
    std::size_t forget_at_ = kMany;
    bool many_ = false;  // as many as that
};

}  // namespace swarmbus::core
