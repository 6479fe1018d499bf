#include "src/bus/options.hpp"

#include <errno.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "src/error.hpp"

namespace swarmbus::core {
namespace {

std::string default_source() {
    const std::string pid = "-" + std::to_string(::getpid());
    std::string program = program_invocation_short_name;
    program.resize(std::min(program.size(), SWB_SOURCE_BYTES - 1 - pid.size()));
    return program + pid;
}

constexpr std::uint64_t kLargestArena = std::uint64_t{1} << 40;

[[noreturn]] void fail(const std::string& what) { throw Error(SWB_ERR_ARGUMENT, what); }

}  // namespace

Options read_options(const swb_options* given) {
    Options options;
    swb_options o{};
    if (given != nullptr) {
        // The first version of the structure ends with verify; a caller that has less never existed.
        if (given->size < sizeof o) {
            fail("swb_options.size is " + std::to_string(given->size) + "; set it to sizeof(swb_options)");
        }
        std::memcpy(&o, given, sizeof o);
    }
    options.source = o.source != nullptr ? o.source : default_source();
    if (options.source.size() >= SWB_SOURCE_BYTES) {
        fail("source has " + std::to_string(options.source.size()) + " bytes; at most 63 are allowed");
    }
    if (o.open_mode > SWB_CREATE_ONLY) fail("open_mode is " + std::to_string(o.open_mode) + "; use 0, SWB_OPEN_ONLY or SWB_CREATE_ONLY");
    options.open_mode = static_cast<OpenMode>(o.open_mode);
    if (o.permissions != 0) options.permissions = o.permissions;
    if ((options.permissions & ~0666u) != 0 || (options.permissions & 0600u) != 0600u) {
        fail("permissions must let the owner read and write, and hold no other bits than 0666");
    }
    options.capacity = o.capacity_slots;
    if (options.capacity != 0 && !valid_capacity(options.capacity)) {
        fail("capacity_slots is " + std::to_string(options.capacity) + "; it must be a power of two from 16 to 65536");
    }
    if (o.overflow > SWB_BLOCK) fail("overflow is " + std::to_string(o.overflow) + "; use SWB_DROP_OLDEST, SWB_DROP_NEWEST or SWB_BLOCK");
    options.overflow = static_cast<Overflow>(o.overflow);
    if (o.block_timeout_ns == SWB_NO_WAIT) {
        options.block_timeout_ns = 0;
    } else if (o.block_timeout_ns < 0) {
        fail("block_timeout_ns is negative; use SWB_NO_WAIT for no wait at all");
    } else if (o.block_timeout_ns > 0) {
        options.block_timeout_ns = static_cast<std::uint64_t>(o.block_timeout_ns);
    }
    if (o.spin_ns != 0) options.spin_ns = o.spin_ns;
    if (o.stall_timeout_ns != 0) options.stall_timeout_ns = o.stall_timeout_ns;
    if (o.arena_bytes != 0 && (o.arena_bytes < SWB_PAGE || o.arena_bytes > kLargestArena)) {
        fail("arena_bytes is " + std::to_string(o.arena_bytes) + "; it must be from 4096 to " + std::to_string(kLargestArena));
    }
    options.arena_bytes = o.arena_bytes;
    if (o.reattach > 1) fail("reattach is " + std::to_string(o.reattach) + "; use 0 or 1");
    options.reattach = o.reattach != 0;
    if (o.strict > 1) fail("strict is " + std::to_string(o.strict) + "; use 0 or 1");
    if (o.verify > 1) fail("verify is " + std::to_string(o.verify) + "; use 0 or 1");
    options.verify = o.verify != 0;
    options.limits = {o.max_participants, o.max_subscribers, o.max_types, o.slot_bytes, o.default_capacity, o.ring_bytes, o.strict};
    return options;
}

}  // namespace swarmbus::core
