#include "agent_processes.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace swarm {
namespace {

std::runtime_error failure(const std::string& what) { return std::runtime_error(what + ": " + std::strerror(errno)); }

std::string fate_of(int status) {
    if (WIFSIGNALED(status)) return "killed by signal " + std::to_string(WTERMSIG(status));
    return "exit " + std::to_string(WEXITSTATUS(status));
}

// Waits until a child may have ended, but not long: the signal can come in between.
void wait_for_child() noexcept {
    sigset_t children;
    ::sigemptyset(&children);
    ::sigaddset(&children, SIGCHLD);
    const timespec moment{0, 20'000'000};
    ::sigtimedwait(&children, nullptr, &moment);
}

}  // namespace

std::size_t alive(const std::vector<AgentProcess>& agents) noexcept {
    return static_cast<std::size_t>(
        std::count_if(agents.begin(), agents.end(), [](const AgentProcess& a) { return a.running && !a.killed; }));
}

AgentProcesses::AgentProcesses(std::string folder, std::string bus, bool temporary_bus)
    : folder_(std::move(folder)), bus_(std::move(bus)), temporary_bus_(temporary_bus) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) throw failure("making a pipe for the agents' messages");
    print_from_ = ends[0];
    print_to_ = ends[1];
}

AgentProcesses::~AgentProcesses() {
    end(std::chrono::milliseconds(500));
    ::close(print_from_);
    ::close(print_to_);
}

void AgentProcesses::start(const AgentSpec& spec) {
    agents_.reserve(agents_.size() + 1);
    agents_.push_back({.spec = spec, .pid = spawn(spec), .running = true});
}

void AgentProcesses::kill(std::size_t place) noexcept {
    // One that watch() has not seen end yet is not reaped: the pid is still its own.
    AgentProcess& agent = agents_[place];
    agent.killed = agent.running && ::kill(agent.pid, SIGKILL) == 0;
}

void AgentProcesses::restart(std::size_t place) {
    const AgentSpec& spec = agents_[place].spec;
    agents_[place] = {.spec = spec, .pid = spawn(spec), .running = true};
}

pid_t AgentProcesses::spawn(const AgentSpec& spec) const {
    const std::string path = folder_ + "/" + spec.program;
    if (::access(path.c_str(), X_OK) != 0) throw failure("agent " + std::string(spec.id) + ": " + path);
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) throw failure("starting agent " + std::string(spec.id));
    if (pid == 0) become(spec, parent);
    return pid;
}

// In the child, which other threads can't disturb: the demo has none.
void AgentProcesses::become(const AgentSpec& spec, pid_t parent) const noexcept {
    // The kernel tells the agent when the demo is gone, however it went; unless that was before now.
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(0);

    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ::signal(SIGINT, SIG_IGN);  // as life.h has it, from before its first instruction on

    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(print_to_, STDOUT_FILENO);
    ::dup2(print_to_, STDERR_FILENO);
    if (nothing > STDERR_FILENO) ::close(nothing);

    const std::string path = folder_ + "/" + spec.program;
    ::execl(path.c_str(), spec.program, bus_.c_str(), spec.id, temporary_bus_ ? "temporary" : nullptr, nullptr);
    ::dprintf(STDERR_FILENO, "starting %s: %s\n", path.c_str(), std::strerror(errno));
    ::_exit(127);
}

void AgentProcesses::watch() {
    for (AgentProcess& agent : agents_) {
        int status = 0;
        if (!agent.running) continue;
        const pid_t ended = ::waitpid(agent.pid, &status, WNOHANG);
        if (ended == 0) continue;
        agent.running = false;
        agent.fate = ended == agent.pid ? fate_of(status) : "gone";
        // It may have ended by itself just before it was killed.
        agent.killed = agent.killed && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        if (agent.killed) agent.fate = "killed (kill -9)";
        agent.ended_unasked = !ending_ && !agent.killed;
    }
}

void AgentProcesses::end(std::chrono::milliseconds patience) {
    watch();
    ending_ = true;
    signal_running(SIGTERM);
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (bool killed = false; watch(), running() > 0; wait_for_child()) {
        if (killed || std::chrono::steady_clock::now() < deadline) continue;
        signal_running(SIGKILL);
        killed = true;
    }
}

void AgentProcesses::signal_running(int signal) const noexcept {
    for (const AgentProcess& agent : agents_) {
        if (agent.running) ::kill(agent.pid, signal);
    }
}

std::size_t AgentProcesses::running() const noexcept {
    return static_cast<std::size_t>(std::count_if(agents_.begin(), agents_.end(), [](const AgentProcess& a) { return a.running; }));
}

bool AgentProcesses::any_ended_unasked() const noexcept {
    return std::any_of(agents_.begin(), agents_.end(), [](const AgentProcess& a) { return a.ended_unasked; });
}

const std::string& AgentProcesses::printed() {
    constexpr std::size_t kMost = 65536;
    char buffer[4096];
    for (ssize_t got; (got = ::read(print_from_, buffer, sizeof buffer)) > 0;) {
        if (printed_.size() < kMost) printed_.append(buffer, static_cast<std::size_t>(got));
    }
    return printed_;
}

}  // namespace swarm
