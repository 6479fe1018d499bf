// The table of event types. Entries are added under the control lock and never change or go.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "src/segment/segment.hpp"

namespace swarmbus::core {

std::uint32_t types_in_use(Segment& segment) noexcept;

// The name of an entered type; points into the segment. Empty for an index that is not in use or
// whose entry is damaged.
std::string_view type_name(Segment& segment, std::uint32_t type) noexcept;

std::optional<std::uint32_t> find_type(Segment& segment, std::string_view name) noexcept;

// Under the control lock: enters the type with its route. Nothing if the table is full.
std::optional<std::uint32_t> enter_type(Segment& segment, std::string_view name);

// Under the control lock, after a holder died: how many entries are whole; sets types_used to it.
std::uint32_t finish_type_table(Segment& segment) noexcept;

}  // namespace swarmbus::core
