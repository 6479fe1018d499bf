// Knowing that this process is a forked child of the one that opened a handle.
#pragma once

#include <cstdint>

namespace swarmbus::core {

// Identifies the process since its last fork. A page that the kernel wipes in a child carries it,
// so that a child made by a raw clone(), which runs no handlers, is known too.
class ForkGuard {
public:
    ForkGuard();  // remembers the current process; throws SWB_ERR_SYSTEM
    bool same_process() const noexcept { return __atomic_load_n(page_, __ATOMIC_RELAXED) == generation_; }

private:
    const std::uint64_t* page_;
    std::uint64_t generation_;
};

}  // namespace swarmbus::core
