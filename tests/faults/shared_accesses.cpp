#include "tests/faults/shared_accesses.hpp"

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>

namespace swarmbus::faults {
namespace {

// Where Zydis looks for the registers that can be part of an address.
ZydisRegisterContext context_of(const user_regs_struct& r) noexcept {
    ZydisRegisterContext context{};
    const auto set = [&](ZydisRegister name, unsigned long long value) { context.values[name] = value; };
    set(ZYDIS_REGISTER_RAX, r.rax), set(ZYDIS_REGISTER_RBX, r.rbx), set(ZYDIS_REGISTER_RCX, r.rcx), set(ZYDIS_REGISTER_RDX, r.rdx);
    set(ZYDIS_REGISTER_RSI, r.rsi), set(ZYDIS_REGISTER_RDI, r.rdi), set(ZYDIS_REGISTER_RBP, r.rbp), set(ZYDIS_REGISTER_RSP, r.rsp);
    set(ZYDIS_REGISTER_R8, r.r8), set(ZYDIS_REGISTER_R9, r.r9), set(ZYDIS_REGISTER_R10, r.r10), set(ZYDIS_REGISTER_R11, r.r11);
    set(ZYDIS_REGISTER_R12, r.r12), set(ZYDIS_REGISTER_R13, r.r13), set(ZYDIS_REGISTER_R14, r.r14), set(ZYDIS_REGISTER_R15, r.r15);
    set(ZYDIS_REGISTER_EAX, r.rax & 0xffffffff), set(ZYDIS_REGISTER_ECX, r.rcx & 0xffffffff), set(ZYDIS_REGISTER_EDI, r.rdi & 0xffffffff);
    set(ZYDIS_REGISTER_RIP, r.rip), set(ZYDIS_REGISTER_RFLAGS, r.eflags);
    return context;
}

// The name of an arena is the same in every trial.
std::uint64_t base_of(std::string_view path) noexcept {
    const std::size_t name = path.find("/arena-");
    return name == std::string_view::npos ? 0 : (1 + std::hash<std::string_view>()(path.substr(name)) % 0xffff) << kArenaShift;
}

}  // namespace

void BusMappings::read(pid_t pid) {
    ranges_.clear();
    std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
    for (std::string line; std::getline(maps, line);) {
        const std::size_t path = line.find("/dev/shm/swarmbus");
        if (path == std::string::npos) continue;
        Range range{};
        if (std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64, &range.begin, &range.end, &range.offset) == 3) {
            range.offset += base_of(std::string_view(line).substr(path));
            ranges_.push_back(range);
        }
    }
}

std::optional<std::uint64_t> BusMappings::offset_of(std::uint64_t address) const noexcept {
    for (const Range& range : ranges_) {
        if (address >= range.begin && address < range.end) return address - range.begin + range.offset;
    }
    return std::nullopt;
}

std::optional<std::uint64_t> BusMappings::address_of(std::uint64_t offset) const noexcept {
    for (const Range& range : ranges_) {
        if (offset >= range.offset && offset - range.offset < range.end - range.begin) return range.begin + (offset - range.offset);
    }
    return std::nullopt;
}

Decoder::Decoder() {
    if (!ZYAN_SUCCESS(ZydisDecoderInit(&decoder_, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64))) {
        throw std::runtime_error("Zydis does not start");
    }
}

const Decoder::Decoded& Decoder::decoded(std::uint64_t address) {
    const auto [at, fresh] = known_.try_emplace(address);
    Decoded& it = at->second;
    if (!fresh) return it;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder_, reinterpret_cast<const void*>(address), ZYDIS_MAX_INSTRUCTION_LENGTH,
                                             &it.instruction, operands))) {
        throw std::runtime_error("an instruction can't be decoded");
    }
    it.system_call = it.instruction.mnemonic == ZYDIS_MNEMONIC_SYSCALL;
    it.repeats = (it.instruction.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE)) != 0;
    it.compares_and_swaps = it.instruction.mnemonic == ZYDIS_MNEMONIC_CMPXCHG;
    // A prefetch is no access: nothing comes of it.
    if (it.instruction.meta.category == ZYDIS_CATEGORY_PREFETCH || it.instruction.meta.category == ZYDIS_CATEGORY_WIDENOP) return it;
    for (std::uint8_t i = 0; i < it.instruction.operand_count; ++i) {
        const bool memory = operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY && operands[i].mem.type == ZYDIS_MEMOP_TYPE_MEM;
        // Thread-local memory is never shared, and its base is not among the registers above.
        const bool local = operands[i].mem.segment == ZYDIS_REGISTER_FS || operands[i].mem.segment == ZYDIS_REGISTER_GS;
        if (memory && !local && operands[i].actions != 0) it.memory.push_back(operands[i]);
    }
    return it;
}

Instruction Decoder::look_at(const user_regs_struct& registers, const BusMappings& mappings) {
    const Decoded& it = decoded(registers.rip);
    Instruction seen;
    seen.system_call = it.system_call;
    seen.repeats = it.repeats;
    seen.compares_and_swaps = it.compares_and_swaps;
    if (it.memory.empty()) return seen;
    const ZydisRegisterContext context = context_of(registers);
    for (const ZydisDecodedOperand& operand : it.memory) {
        ZyanU64 address = 0;
        if (!ZYAN_SUCCESS(ZydisCalcAbsoluteAddressEx(&it.instruction, &operand, registers.rip, &context, &address))) continue;
        seen.offset = mappings.offset_of(address);
        seen.bytes = operand.size / 8;
        if (seen.offset) break;
    }
    return seen;
}

}  // namespace swarmbus::faults
