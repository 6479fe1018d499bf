// The processes of the agents: started, watched, killed and started again, ended. None outlives the demo, not even if that is
// killed.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "roster.hpp"

namespace swarm {

struct AgentProcess {
    AgentSpec spec;
    pid_t pid = 0;
    bool running = false;
    bool killed = false;  // by the demo
    bool ended_unasked = false;
    std::string fate{};  // how it ended: "exit 1", "killed by signal 9"
};

// How many run and are not about to be gone.
std::size_t alive(const std::vector<AgentProcess>& agents) noexcept;

class AgentProcesses {
public:
    // folder: of the agents' programs; temporary_bus: see agents/life.h. Throws std::runtime_error.
    AgentProcesses(std::string folder, std::string bus, bool temporary_bus);
    ~AgentProcesses();
    AgentProcesses(const AgentProcesses&) = delete;
    AgentProcesses& operator=(const AgentProcesses&) = delete;

    // Throws std::runtime_error if there is no such program or no process to be had.
    void start(const AgentSpec& spec);
    // Kills the agent at that place of all(), as kill -9 does. watch() tells when it is gone.
    void kill(std::size_t place) noexcept;
    // Starts one that was killed once more, at its place. Throws as start() does.
    void restart(std::size_t place);
    // Notices which have ended.
    void watch();
    // Asks all that run to end, waits, and kills those that have not by then. Idempotent.
    void end(std::chrono::milliseconds patience);

    const std::vector<AgentProcess>& all() const noexcept { return agents_; }
    std::size_t running() const noexcept;
    bool any_ended_unasked() const noexcept;
    // What they have printed so far: their error messages.
    const std::string& printed();

private:
    pid_t spawn(const AgentSpec& spec) const;
    [[noreturn]] void become(const AgentSpec& spec, pid_t parent) const noexcept;
    void signal_running(int signal) const noexcept;

    std::string folder_, bus_;
    bool temporary_bus_;
    bool ending_ = false;
    int print_from_ = -1, print_to_ = -1;  // a pipe, so that messages don't run into the picture
    std::string printed_;
    std::vector<AgentProcess> agents_;
};

}  // namespace swarm
