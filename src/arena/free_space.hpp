// Which parts of an arena are free: extents that never touch each other. First fit.
#pragma once

#include <cstdint>
#include <iterator>
#include <map>
#include <optional>

namespace swarmbus::core {

class FreeSpace {
public:
    explicit FreeSpace(std::uint64_t bytes) : free_bytes_(bytes) { extents_.emplace(0, bytes); }

    std::uint64_t free_bytes() const noexcept { return free_bytes_; }

    std::optional<std::uint64_t> take(std::uint64_t bytes) {
        for (auto it = extents_.begin(); it != extents_.end(); ++it) {
            const auto [at, size] = *it;
            if (size < bytes) continue;
            extents_.erase(it);
            if (size > bytes) extents_.emplace(at + bytes, size - bytes);
            free_bytes_ -= bytes;
            return at;
        }
        return std::nullopt;
    }

    void give_back(std::uint64_t at, std::uint64_t bytes) {
        free_bytes_ += bytes;
        const auto next = extents_.lower_bound(at);
        std::uint64_t end = at + bytes;
        if (next != extents_.begin()) {
            const auto before = std::prev(next);
            if (before->first + before->second == at) {
                at = before->first;
                extents_.erase(before);
            }
        }
        if (next != extents_.end() && next->first == end) {
            end += next->second;
            extents_.erase(next);
        }
        extents_.emplace(at, end - at);
    }

private:
    std::map<std::uint64_t, std::uint64_t> extents_;  // offset -> bytes
    std::uint64_t free_bytes_;
};

}  // namespace swarmbus::core
