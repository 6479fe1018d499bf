// The event types of a trial, and which readers subscribe to them.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string>

#include "tests/faults/board.hpp"

namespace swarmbus::faults {

enum Type : std::uint32_t { kTick, kOneOldest, kOneNewest, kOneBlock, kThree, kMany, kVictimOnly, kFresh, kLate, kTypes };

constexpr std::uint32_t reader_bit(std::uint32_t reader) noexcept { return std::uint32_t{1} << reader; }
constexpr std::uint32_t kAllSurvivors = reader_bit(kSurvivingReaders) - 1;
constexpr std::uint32_t kAllExtra = (reader_bit(kReaders) - 1) & ~(reader_bit(kExtraReaders) - 1);

struct TypeRow {
    const char* name;
    std::uint32_t readers;  // who surely gets it; a victim that reads may, if it says so
};
// Those under "load." are for all survivors. Of "load.fresh" and "load.late" nobody hears before a
// victim publishes them, the latter when the table is full.
constexpr std::array<TypeRow, kTypes> kTypeRows = {{
    {"load.tick", kAllSurvivors},
    {"one.oldest", reader_bit(kOldest0)},
    {"one.newest", reader_bit(kNewest0)},
    {"one.block", reader_bit(kBlock0)},
    {"three", reader_bit(kOldest0) | reader_bit(kNewest0) | reader_bit(kBlock0)},
    {"many", kAllSurvivors | kAllExtra},
    {"victim", 0},
    {"load.fresh", kAllSurvivors},
    {"load.late", kAllSurvivors},
}};
static_assert(std::popcount(kTypeRows[kMany].readers) > 16);

inline std::string patterns_of(std::uint32_t reader) {
    if (reader == kVictimReader) return "load.* victim";
    std::string patterns = reader < kSurvivingReaders ? "load.*" : "";
    for (const TypeRow& row : kTypeRows) {
        if ((row.readers & reader_bit(reader)) != 0 && std::string(row.name).find("load.") != 0) patterns += std::string(" ") + row.name;
    }
    return patterns;
}

}  // namespace swarmbus::faults
