// Futexes on words that processes share (no FUTEX_PRIVATE_FLAG).
#pragma once

#include <cstdint>

namespace swarmbus::core {

// Sleeps while the word is `expected`, at most timeout_ns. Returns early for any reason.
void futex_wait(std::uint32_t& word, std::uint32_t expected, std::uint64_t timeout_ns) noexcept;
void futex_wake_all(std::uint32_t& word) noexcept;

}  // namespace swarmbus::core
