// The bus of the demo. What the demo made it removes; a bus that was there before stays.
#pragma once

#include <optional>
#include <string>

#include <swarmbus/swarmbus.hpp>

namespace swarm {

class DemoBus {
public:
    // name: empty for one that nobody has, "demo-PID". Throws swarmbus::Error.
    explicit DemoBus(const std::string& name);
    ~DemoBus();
    DemoBus(const DemoBus&) = delete;
    DemoBus& operator=(const DemoBus&) = delete;

    const std::string& name() const noexcept { return name_; }
    bool made_here() const noexcept { return made_here_; }
    swarmbus::Bus& operator*() noexcept { return *bus_; }
    swarmbus::Bus* operator->() noexcept { return &*bus_; }

private:
    bool make(const std::string& name);

    std::string name_;
    bool made_here_ = false;
    std::optional<swarmbus::Bus> bus_;
};

}  // namespace swarm
