// How many connections there are, in all and by address.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

namespace swarmbus::gateway {

class Connections {
public:
    Connections(std::uint32_t most, std::uint32_t most_per_address) : most_(most), most_per_address_(most_per_address) {}

    bool has_room_for(const std::string& address) const {
        if (by_connection_.size() >= most_) return false;
        const auto found = by_address_.find(address);
        return found == by_address_.end() || found->second < most_per_address_;
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
    const std::uint32_t most_, most_per_address_;
    std::unordered_map<const void*, std::string> by_connection_;
    std::unordered_map<std::string, std::uint32_t> by_address_;
};

}  // namespace swarmbus::gateway
