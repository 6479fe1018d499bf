// What a thread keeps from one call to the next.
#pragma once

#include <memory>

namespace swarmbus::capi {

// On the heap: the library's thread-local words are in the block that every thread gets at once (initial-exec, for the hot path),
// of which a program that loads the library later has only some 1,600 bytes left for all it loads.
template <typename Kept>
Kept& of_thread() {
    thread_local const std::unique_ptr<Kept> kept = std::make_unique<Kept>();
    return *kept;
}

}  // namespace swarmbus::capi
