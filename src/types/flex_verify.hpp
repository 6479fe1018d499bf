// Whether bytes are a FlexBuffer. Whoever reads them after that stays within them, but for keys, which end at a zero: there
// must be one behind the bytes.
//
// The verifier of FlatBuffers 2.0.8 reads a part as often as it is referred to, which takes 25 s for 500 KB that are made for
// it, and grows with the square; where it remembers what it has seen, it counts depth wrongly.
#pragma once

#include <cstddef>
#include <span>

namespace swarmbus::core {

// Takes time in proportion to the bytes whatever they hold: lists and maps lie within each other to `max_depth`, and there
// are no more values than bytes, also where parts are referred to many times.
bool is_flexbuffer(std::span<const std::byte> bytes, int max_depth);

}  // namespace swarmbus::core
