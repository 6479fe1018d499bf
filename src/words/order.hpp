// Memory orders for words that processes share, and the one full fence of the protocol.
//
// Every access in src/words/ that carries an order names its partner with the same SYNC label;
// tools/check_sync_labels.py fails when a label has lost one side. The pairs in which each side writes one word
// and then reads the other's need a full fence on both sides; tests/models/tso.pml shows what
// happens without it.
#pragma once

#include <atomic>
#include <cstdint>

namespace swarmbus::core {

using Shared64 = std::atomic_ref<std::uint64_t>;
using Shared32 = std::atomic_ref<std::uint32_t>;
static_assert(Shared64::is_always_lock_free && Shared32::is_always_lock_free);

#if defined(__SANITIZE_THREAD__)
// ThreadSanitizer does not understand fences: there the accesses around them are seq_cst.
inline constexpr bool kFences = false;
inline constexpr std::memory_order kStoreBeforeFence = std::memory_order_seq_cst;
inline constexpr std::memory_order kLoadAfterFence = std::memory_order_seq_cst;
#else
inline constexpr bool kFences = true;
inline constexpr std::memory_order kStoreBeforeFence = std::memory_order_release;
inline constexpr std::memory_order kLoadAfterFence = std::memory_order_acquire;
#endif

inline void full_fence() noexcept {
    if constexpr (kFences) std::atomic_thread_fence(std::memory_order_seq_cst);
}

// For a writer that names its inbox before it looks at the gate: the taker's membarrier is the
// other half, so that the publisher only has to keep the compiler from reordering.
inline void compiler_fence() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }

inline void cpu_relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// Asks for a cache line in order to write it. The compiler's own write prefetch becomes a read
// prefetch on baseline x86-64, where PREFETCHW runs everywhere (as no operation on the oldest).
inline void prefetch_for_write(const void* line) noexcept {
#if defined(__x86_64__)
    asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(line)));
#else
    __builtin_prefetch(line, 1);
#endif
}

inline void prefetch_for_read(const void* line) noexcept {
#if defined(__x86_64__)
    asm volatile("prefetcht0 %0" : : "m"(*static_cast<const char*>(line)));
#else
    __builtin_prefetch(line, 0);
#endif
}

}  // namespace swarmbus::core
