// A place in a run of the gateway: everything up to and including `offset` has been seen.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace swarmbus::gateway {

struct Cursor {
    std::uint64_t epoch = 0;  // of the run
    std::uint64_t offset = 0;

    bool operator==(const Cursor&) const = default;
};

// "9f86d081884c7d65-1041"
void append_cursor(std::string& out, Cursor cursor);
std::string text_of(Cursor cursor);

// Nothing if it is not written so.
std::optional<Cursor> parse_cursor(std::string_view text) noexcept;

// An epoch of its own for a run.
std::uint64_t random_epoch();

}  // namespace swarmbus::gateway
