// Numbers for the names of event types.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "ws_gateway/journal/record.hpp"

namespace swarmbus::gateway {

class EventTypes {
public:
    // A new number for a new name. There are as many as the bus has types.
    TypeId id_of(std::string_view name) {
        if (const auto found = ids_.find(name); found != ids_.end()) return found->second;
        names_.emplace_back(name);
        const auto id = static_cast<TypeId>(names_.size() - 1);
        ids_.emplace(names_.back(), id);
        return id;
    }
    const std::string& name_of(TypeId type) const { return names_[type]; }
    std::size_t size() const noexcept { return names_.size(); }

private:
    std::deque<std::string> names_;  // stay where they are
    std::unordered_map<std::string_view, TypeId> ids_;
};

}  // namespace swarmbus::gateway
