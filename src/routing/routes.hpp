// Who gets which type: the bitmaps, and the patterns they follow from.
//
// All but read_patterns() and match_inboxes() run under the control lock.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/routing/pattern.hpp"
#include "src/segment/segment.hpp"

namespace swarmbus::core {

// ---- the patterns of an inbox, stored at the front of its block ----

// Bytes that these patterns take in a block.
std::size_t stored_bytes(const std::vector<std::string>& patterns) noexcept;
// Throws SWB_ERR_PATTERNS_FULL when they don't fit; then nothing has changed.
void write_patterns(Segment& segment, std::uint32_t inbox, const std::vector<std::string>& patterns);
// A consistent copy, whatever a control operation does meanwhile. Empty if the inbox has none.
std::vector<std::string> read_patterns(Segment& segment, std::uint32_t inbox);

// ---- routes ----

// Sets or clears the inbox's bit in the route of every type, as its patterns say.
void route_inbox(Segment& segment, std::uint32_t inbox, const std::vector<Pattern>& patterns) noexcept;
// Clears the inbox's bit everywhere.
void unroute_inbox(Segment& segment, std::uint32_t inbox) noexcept;
// Keeps an inbox's block from being given back while its patterns are read. Under the control lock
// nobody gives blocks back: this one does nothing.
class InboxVisit {
public:
    virtual void enter(std::uint32_t inbox) noexcept { static_cast<void>(inbox); }
    virtual void leave() noexcept {}
    static InboxVisit& under_the_lock() noexcept;

protected:
    ~InboxVisit() = default;
};

// The bits of a type, from the patterns of all active inboxes. Also without the lock, for a type
// that is not in the table: the caller checks the control generation around it, and its visit
// names each inbox as a publisher does.
std::vector<std::uint64_t> match_inboxes(Segment& segment, std::string_view type, InboxVisit& visit = InboxVisit::under_the_lock());
// Writes the bits of a type.
void store_type_route(Segment& segment, std::uint32_t type, const std::vector<std::uint64_t>& bits) noexcept;

// Changes with every control operation; odd while one runs or was left half done.
std::uint64_t control_generation(Segment& segment) noexcept;

// After a holder of the control lock died: frees what was being taken and computes every route
// anew, in private memory first, so that no publisher ever sees a bit missing that should be set.
void rebuild_control_data(Segment& segment);

}  // namespace swarmbus::core
