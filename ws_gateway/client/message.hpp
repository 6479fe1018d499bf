// A message of the gateway: frames of gateway.fbs in one buffer (docs/gateway-protocol.md).
#pragma once

#include <swarmbus/gateway_generated.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace swarmbus::remote {

// Bytes of a message, gathered from its parts; aligned for what is in them.
class MessageBytes {
public:
    void append(std::span<const std::byte> bytes);
    std::span<const std::byte> bytes() const noexcept { return {reinterpret_cast<const std::byte*>(words_.data()), bytes_}; }
    std::size_t size() const noexcept { return bytes_; }

private:
    std::vector<std::uint64_t> words_;
    std::size_t bytes_ = 0;
};

// Walks through the frames of a message of anybody: each is verified before it is shown.
class Frames {
public:
    explicit Frames(std::span<const std::byte> message) noexcept : rest_(message) {}

    // The next frame; nullptr at the end, or if what follows is none.
    const wire::Frame* next();
    // All has been shown.
    bool is_at_end() const noexcept { return rest_.empty(); }

private:
    std::span<const std::byte> rest_;
};

}  // namespace swarmbus::remote
