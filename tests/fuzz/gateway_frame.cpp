// What clients of the gateway say as FlatBuffers: refused, or a command.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "ws_gateway/server/commands.hpp"

using namespace swarmbus;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::vector<std::uint64_t> aligned(size / 8 + 1);
    if (size > 0) std::memcpy(aligned.data(), data, size);
    try {
        gateway::command_from_frame(std::as_bytes(std::span(aligned)).first(size));
    } catch (const gateway::CommandError&) {}
    return 0;
}
