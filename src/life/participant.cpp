#include "src/life/participant.hpp"

#include "src/life/file_lock.hpp"
#include "src/life/process.hpp"

namespace swarmbus::core {

Condition condition_of(const BusFile& file, std::uint32_t index, const swb_l_participant& entry) noexcept {
    const std::uint32_t status = status_of(entry.state);
    if (status == SWB_PARTICIPANT_FREE) return Condition::free;
    if (status == SWB_PARTICIPANT_LEFT) return Condition::left;
    const ProcessIdentity process{entry.pid, entry.start_ticks, entry.pid_namespace};
    // Cheap, and needed beside the lock: a child made by a raw clone() keeps its dead parent's lock.
    if (in_our_namespace(process) && pid_is_unused(process.pid)) return Condition::gone;
    if (lock_is_held(file.fd, SWB_LOCK_PARTICIPANTS + index)) {
        return status == SWB_PARTICIPANT_ALIVE ? Condition::alive : Condition::lockless;
    }
    // Of a process in another PID namespace nothing but the lock can be known.
    if (!in_our_namespace(process)) return Condition::gone;
    // It may have called exec(), or have closed the bus when the control lock was not to be had.
    const bool gone = process_is_gone(process) || !process_maps_file(process.pid, file.device, file.inode);
    return gone ? Condition::gone : Condition::lockless;
}

}  // namespace swarmbus::core
