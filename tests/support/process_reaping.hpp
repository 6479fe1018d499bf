// Processes that take all kinds of things on a bus, to be killed, and those who find them dead.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"
#include "tests/support/process_shared.hpp"
#include "tests/support/process_step.hpp"
#include "tests/support/process_tables.hpp"

namespace swarmbus::test {

// Longer than a test waits for anything: a publisher that comes back in time did not wait it out.
inline constexpr std::chrono::nanoseconds kLongWait = 10 * kPatience;

inline Options small_inbox(Overflow overflow = Overflow::drop_oldest, const std::string& source = {}) {
    Options options;
    options.overflow = overflow;
    options.capacity_slots = 16;
    options.source = source;
    options.block_timeout = kLongWait;
    return options;
}

// A child that opens the bus, does `prepare` and waits to be killed.
class Victim {
public:
    template <typename Prepare>
    Victim(const BusName& name, const Options& options, Prepare&& prepare)
        : process_([&, this] {
              Bus bus(name, options);
              prepare(bus);
              ready_.send(1);
              for (;;) ::pause();
          }) {
        require(ready_.receive().has_value(), "the victim did not start");
    }
    pid_t pid() const noexcept { return process_.pid(); }
    Process& process() noexcept { return process_; }
    void kill() noexcept { process_.kill(); }

private:
    Channel<int> ready_;
    Process process_;
};

// Some of everything: three inboxes, one of them with a pollable descriptor, two writers.
inline void take_some_of_everything(Bus& bus) {
    static std::vector<Bus> more;
    bus.subscribe("victim.*");
    for (const Overflow overflow : {Overflow::block, Overflow::drop_newest}) {
        more.push_back(bus.separate(small_inbox(overflow)));
        more.back().subscribe("victim.* other.*");
    }
    int descriptor = -1;
    detail::check(swb_descriptor(more.back().raw(), &descriptor));
    bus.publish("victim.event", "of the main thread");
    static auto* held = new std::atomic<bool>(false);
    std::thread([&bus] {  // its writer lives as long as the thread
        bus.publish("victim.event", "of another thread");
        *held = true;
        ::pause();
    })
        .detach();
    require(eventually([] { return held->load(); }), "the other thread published");
}

// As daemons do it: all but the standard streams, and here the pipes of the test.
inline void close_all_descriptors() {
    for (int fd = 3; fd < 1024; ++fd) {
        struct stat st {};
        if (::fstat(fd, &st) == 0 && !S_ISFIFO(st.st_mode)) ::close(fd);
    }
}

inline bool attach_and_leave(const BusName& name) {
    Process other([&] { const Bus own(name); });
    return other.ended_well();
}

// Steps until holds() is true; false if the next mark or the end comes first.
template <typename Condition>
bool step_until(SteppedProcess& process, Condition&& holds, int most = 200'000) {
    for (int i = 0; i < most; ++i) {
        if (holds()) return true;
        if (process.step(1) != 1) return holds();
    }
    return false;
}

}  // namespace swarmbus::test
