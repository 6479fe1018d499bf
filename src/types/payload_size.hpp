// The limit of a payload that is being built.
#pragma once

#include <flatbuffers/flatbuffer_builder.h>

#include "src/arena/arena.hpp"
#include "src/error.hpp"

namespace swarmbus::core {

// Throws SWB_ERR_TOO_LARGE before it takes more memory than an event may have.
inline void check_payload_size(const flatbuffers::FlatBufferBuilder& builder) {
    if (builder.GetSize() > kLargestPayload) throw Error(SWB_ERR_TOO_LARGE, "the event has more than 64 MiB");
}

}  // namespace swarmbus::core
