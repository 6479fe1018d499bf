// The archivist: writes down every event, through a small inbox, and stands still once a second while
// its "disk" is busy. What it loses meanwhile it knows exactly, and reports as system.warning.
#include <thread>

#include "agent.hpp"
#include "metadata.hpp"

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using swarmbus::LossCause;

class Archivist {
public:
    explicit Archivist(const agent_start& start) : agent_(start, small_inbox()) {}

    void run() {
        agent_.bus().subscribe("*");
        agent_.set_status("writing", "all events");
        auto next_stop = Clock::now() + 1s;
        while (!agent_ending()) {
            for (const swarmbus::Event& event : agent_.bus().next_batch(32, 100ms)) {
                lost_ += event.lost();
                evicted_ += event.lost(LossCause::evicted);
            }
            if (Clock::now() < next_stop) continue;
            report_losses();
            std::this_thread::sleep_for(150ms);  // the disk
            next_stop = Clock::now() + 1s;
        }
        report_losses();
        agent_.set_status("ended", "the demo ends");
    }

private:
    static swarmbus::Options small_inbox() {
        swarmbus::Options options;
        options.capacity_slots = 64;  // about 40 ms of this demo's events
        return options;
    }

    void report_losses() {
        if (lost_ == 0) return;
        swarm::events::SystemWarningT warning;
        warning.component = agent_.id();
        warning.code = "events_lost";
        warning.message = "the disk is slow";
        warning.metadata = swarm::metadata({{"lost", static_cast<std::int64_t>(lost_)}, {"evicted", static_cast<std::int64_t>(evicted_)}});
        agent_.publish(warning, agent_.id());
        lost_ = evicted_ = 0;
    }

    swarm::Agent agent_;
    std::uint64_t lost_ = 0, evicted_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    return swarm::run_agent(argc, argv, [](const agent_start& start) { Archivist(start).run(); });
}
