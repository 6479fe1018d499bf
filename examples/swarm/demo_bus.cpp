#include "demo_bus.hpp"

#include <unistd.h>

namespace swarm {
namespace {

swarmbus::Options viewer(std::uint32_t open_mode) {
    swarmbus::Options options;
    options.source = "viewer";
    options.open_mode = open_mode;
    options.capacity_slots = 4096;  // more than a second of events, for a machine that is busy
    return options;
}

}  // namespace

DemoBus::DemoBus(const std::string& name) : name_(name) {
    if (!name.empty()) {
        if (!make(name)) bus_.emplace(name, viewer(SWB_OPEN_ONLY));
        return;
    }
    // The name can be taken: containers that share /dev/shm number their processes alike.
    const std::string own = "demo-" + std::to_string(::getpid());
    name_ = own;
    for (int i = 2; !make(name_); ++i) name_ = own + "-" + std::to_string(i);
}

DemoBus::~DemoBus() {
    bus_.reset();
    // By force: someone who still watches it keeps what they have. There may be nothing left to
    // remove, and nobody to tell.
    if (made_here_) swb_remove(name_.c_str(), 1);
}

// False if there is a bus of that name.
bool DemoBus::make(const std::string& name) {
    try {
        bus_.emplace(name, viewer(SWB_CREATE_ONLY));
    } catch (const swarmbus::Error& error) {
        if (error.code() == SWB_ERR_EXISTS) return false;
        throw;
    }
    made_here_ = true;
    return true;
}

}  // namespace swarm
