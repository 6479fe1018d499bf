// The cases of `swarmbus bench`; each returns the object of its line.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

namespace swarmbus::tool {

nlohmann::ordered_json bench_latency(std::size_t payload_bytes, bool futex, std::uint32_t rounds);

// Block policy: nothing may be lost. Every payload is written and read in full.
nlohmann::ordered_json bench_throughput(std::size_t payload_bytes, std::uint32_t publishers, std::uint32_t subscribers, bool batches,
                                        std::uint64_t events);

// One publisher, `subscribers` inboxes drained by a second process.
nlohmann::ordered_json bench_fanout(std::size_t payload_bytes, std::uint32_t subscribers, std::uint64_t events);

// From the publish call to the sleeping reader's return, beside the same with a bare futex.
nlohmann::ordered_json bench_wake(std::uint32_t rounds);

}  // namespace swarmbus::tool
