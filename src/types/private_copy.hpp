// A payload that nobody else can change while it is verified and read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace swarmbus::core {

// For one thread; keeps its memory from one payload to the next.
class PrivateCopy {
public:
    // Aligned; valid until the next call.
    std::span<const std::byte> operator()(std::span<const std::byte> bytes) {
        words_.resize(bytes.size() / 8 + 1);
        if (!bytes.empty()) std::memcpy(words_.data(), bytes.data(), bytes.size());
        return {reinterpret_cast<const std::byte*>(words_.data()), bytes.size()};
    }

private:
    std::vector<std::uint64_t> words_;
};

}  // namespace swarmbus::core
