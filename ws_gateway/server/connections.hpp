// How many connections there are, in all and by address.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "ws_gateway/server/options.hpp"

namespace swarmbus::gateway {

// So that one machine does not take what is there for all. Of this machine's own programs, and proxies on it, there may be more.
inline constexpr std::uint32_t kMostPerOtherAddress = 256;

class Connections {
public:
    Connections(std::uint32_t most, std::optional<std::uint32_t> most_per_address) : most_(most), most_per_address_(most_per_address) {}

    // Why there is none for a connection from there.
    enum class Room : std::uint8_t { there_is, all_taken, address_has_its_share };
    Room room_for(const std::string& address) const {
        if (by_connection_.size() >= most_) return Room::all_taken;
        const auto found = by_address_.find(address);
        return found == by_address_.end() || found->second < most_of(address) ? Room::there_is : Room::address_has_its_share;
    }
    // `connection` is whatever names it.
    void add(const void* connection, const std::string& address) {
        if (by_connection_.emplace(connection, address).second) ++by_address_[address];
    }
    void remove(const void* connection) {
        const auto found = by_connection_.find(connection);
        if (found == by_connection_.end()) return;
        if (const auto count = by_address_.find(found->second); --count->second == 0) by_address_.erase(count);
        by_connection_.erase(found);
    }
    std::size_t size() const noexcept { return by_connection_.size(); }

private:
    std::uint32_t most_of(const std::string& address) const {
        if (most_per_address_) return *most_per_address_;
        return is_loopback(address) ? most_ : kMostPerOtherAddress;
    }

    const std::uint32_t most_;
    const std::optional<std::uint32_t> most_per_address_;
    std::unordered_map<const void*, std::string> by_connection_;
    std::unordered_map<std::string, std::uint32_t> by_address_;
};

}  // namespace swarmbus::gateway
