// Large events: payloads that tell whether they are whole, and the files that hold them.
#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "src/segment/layout.h"
#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"

namespace swarmbus::test {

inline constexpr std::size_t kMiB = 1 << 20;

// A payload that tells its own number and whether it is whole: words, and zeros where no whole word fits.
inline std::uint64_t word_at(std::uint64_t number, std::size_t i) { return number * 0x9e3779b97f4a7c15ull + i; }

inline std::vector<std::byte> payload_of(std::uint64_t number, std::size_t bytes) {
    std::vector<std::byte> payload(bytes);
    for (std::size_t i = 0; i + 8 <= bytes; i += 8) {
        const std::uint64_t word = word_at(number, i);
        std::memcpy(payload.data() + i, &word, 8);
    }
    return payload;
}

inline bool is_whole(const Event& event, std::uint64_t number) {
    const auto payload = event.payload();
    std::size_t i = 0;
    for (; i + 8 <= payload.size(); i += 8) {
        const std::uint64_t word = word_at(number, i);
        if (std::memcmp(payload.data() + i, &word, 8) != 0) return false;
    }
    return std::all_of(payload.begin() + i, payload.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

inline Options with(Overflow overflow, std::uint32_t capacity = 16, std::uint64_t arena = 0) {
    Options options;
    options.overflow = overflow;
    options.capacity_slots = capacity;
    options.block_timeout = 0ns;
    options.arena_bytes = arena;
    return options;
}

template <typename Call>
swb_result error_of(Call&& call) {
    try {
        call();
    } catch (const Error& e) {
        return e.code();
    }
    return SWB_OK;
}

// The files of arenas beside a bus.
inline std::vector<std::filesystem::path> arenas_of(const BusName& name) {
    swb_l_header header{};
    std::ifstream(name.path(), std::ios::binary).read(reinterpret_cast<char*>(&header), sizeof header);
    char directory[64];
    std::snprintf(directory, sizeof directory, "/dev/shm/swarmbus-with.%016lx", static_cast<unsigned long>(header.bus_id));
    std::vector<std::filesystem::path> found;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(directory, none)) found.push_back(entry.path());
    return found;
}

// Memory that a file takes.
inline std::uint64_t blocks_of(const std::filesystem::path& file) {
    struct stat st {};
    require(::stat(file.c_str(), &st) == 0, "looking at " + file.string());
    return static_cast<std::uint64_t>(st.st_blocks) * 512;
}

}  // namespace swarmbus::test
