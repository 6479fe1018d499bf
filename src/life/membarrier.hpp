// The expedited barrier among all processes that take part (membarrier, GLOBAL_EXPEDITED).
#pragma once

namespace swarmbus::core {

// Registers this process. False: the kernel or a filter refuses; its writers must fence themselves.
bool register_for_barrier() noexcept;

// A full barrier on every running thread of every registered process, and on this one. False: it
// can't be had, and nothing may be concluded about what publishers see.
bool barrier_all_publishers() noexcept;

}  // namespace swarmbus::core
