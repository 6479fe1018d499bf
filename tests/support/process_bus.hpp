// A bus of a test's own: a name that nobody else uses, removed at the end.
#pragma once

#include <unistd.h>

#include <atomic>
#include <stdexcept>
#include <string>

#include <swarmbus.h>

namespace swarmbus::test {

class BusName {
public:
    BusName() : owner_(::getpid()), name_("test-" + std::to_string(owner_) + "-" + std::to_string(next())) {}
    // A forked child inherits this object but not the duty.
    ~BusName() {
        if (::getpid() == owner_) swb_remove(name_.c_str(), 1);
    }
    BusName(const BusName&) = delete;
    BusName& operator=(const BusName&) = delete;

    const std::string& str() const noexcept { return name_; }
    const char* c_str() const noexcept { return name_.c_str(); }
    operator const std::string&() const noexcept { return name_; }
    std::string path() const { return "/dev/shm/swarmbus." + name_; }

    // What swb_look() says of it.
    swb_info look() const {
        swb_info info{};
        info.size = sizeof info;
        if (swb_look(c_str(), &info) != SWB_OK) throw std::runtime_error(swb_last_error());
        return info;
    }

    // What the doctor finds there, in one line; empty if it is content.
    std::string doctors_findings() const {
        std::string found;
        const swb_result result = swb_doctor(
            c_str(), 0,
            [](const swb_finding* finding, void* text) {
                if (finding->other_bus != 0) return;  // tests that run beside this one
                *static_cast<std::string*>(text) += std::string(finding->what) + ", " + finding->who + ", " + finding->detail + "; ";
            },
            &found);
        return result == SWB_OK ? found : std::string("it can't look: ") + swb_last_error();
    }

private:
    static unsigned next() {
        static std::atomic<unsigned> last{0};
        return ++last;
    }

    const pid_t owner_;
    const std::string name_;
};

}  // namespace swarmbus::test
