// Which instructions touch shared memory, and where.
#pragma once

#include <sys/types.h>
#include <sys/user.h>

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include <Zydis/Zydis.h>

namespace swarmbus::faults {

// Offsets in arenas are told from those in the bus's own file by what stands above these bits.
constexpr unsigned kArenaShift = 44;

// The mappings of bus files in one process.
class BusMappings {
public:
    void read(pid_t pid);
    // Place in one of the files; nothing if it is not memory of a bus.
    std::optional<std::uint64_t> offset_of(std::uint64_t address) const noexcept;
    std::optional<std::uint64_t> address_of(std::uint64_t offset) const noexcept;

private:
    struct Range {
        std::uint64_t begin, end, offset;
    };
    std::vector<Range> ranges_;
};

// What the next instruction of a stopped process is about to do.
struct Instruction {
    bool system_call = false;
    bool repeats = false;  // a string instruction: one step is one iteration
    bool compares_and_swaps = false;
    std::optional<std::uint64_t> offset{};  // of the access to a bus file, if it makes one
    std::uint32_t bytes = 0;
};

// Reads code from this process's own memory: the stepped one is a fork of it. Each address is
// decoded once.
class Decoder {
public:
    Decoder();
    Instruction look_at(const user_regs_struct& registers, const BusMappings& mappings);

private:
    struct Decoded {
        ZydisDecodedInstruction instruction{};
        std::vector<ZydisDecodedOperand> memory;  // operands that are read or written
        bool system_call = false, repeats = false, compares_and_swaps = false;
    };
    const Decoded& decoded(std::uint64_t address);

    ZydisDecoder decoder_{};
    std::unordered_map<std::uint64_t, Decoded> known_;
};

}  // namespace swarmbus::faults
