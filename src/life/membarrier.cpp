#include "src/life/membarrier.hpp"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "src/words/order.hpp"

namespace swarmbus::core {
namespace {

bool membarrier(int command) noexcept { return ::syscall(SYS_membarrier, command, 0, 0) == 0; }

}  // namespace

bool register_for_barrier() noexcept { return membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED); }

bool barrier_all_publishers() noexcept {
    full_fence();
    return membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED);
}

}  // namespace swarmbus::core
