// A small bus file of a test's own, opened as a segment: its tables are set and looked at by hand.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/life/inbox_table.hpp"
#include "src/routing/routes.hpp"
#include "src/routing/type_table.hpp"
#include "src/segment/segment.hpp"
#include "src/words/position.hpp"
#include "tests/support/process_bus.hpp"

namespace swarmbus::test {

using namespace swarmbus::core;

inline constexpr Limits kSmallBus{4, 130, 8, 64, 16, 1 << 20};

inline std::vector<Pattern> compiled(const std::vector<std::string>& texts) { return std::vector<Pattern>(texts.begin(), texts.end()); }

class PrivateSegment {
public:
    explicit PrivateSegment(const Limits& limits = kSmallBus) : segment_(Segment::open(name_, OpenMode::create_only, limits, 0600)) {}

    Segment& operator*() const noexcept { return *segment_; }
    Segment* operator->() const noexcept { return segment_.get(); }
    Gate gate(std::uint32_t inbox) const noexcept { return {segment_->inbox(inbox).gate}; }
    std::uint64_t& summary(std::uint32_t type) const noexcept { return segment_->route(type).summary; }
    std::uint64_t& route_word(std::uint32_t type, std::uint32_t word) const noexcept { return (&segment_->route(type).words[0])[word]; }
    bool routed(std::uint32_t type, std::uint32_t inbox) const noexcept { return (route_word(type, inbox / 64) >> inbox % 64 & 1) != 0; }

    // An open inbox with these patterns, as subscribing makes it.
    std::uint32_t subscribe(const std::vector<std::string>& patterns) const {
        const std::uint32_t inbox = take_inbox(*segment_, {0, 1}, 16, Overflow::drop_oldest);
        write_patterns(*segment_, inbox, patterns);
        activate_inbox(*segment_, inbox);
        route_inbox(*segment_, inbox, compiled(patterns));
        return inbox;
    }
    std::uint32_t type(std::string_view name) const { return enter_type(*segment_, name).value(); }

    // Memory that the file takes.
    std::uint64_t resident_bytes() const {
        struct stat st {};
        return ::fstat(segment_->fd(), &st) == 0 ? static_cast<std::uint64_t>(st.st_blocks) * 512 : 0;
    }

private:
    BusName name_;
    std::unique_ptr<Segment> segment_;
};

}  // namespace swarmbus::test
