#include "gateway_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

namespace swarm {
namespace {

constexpr int kStartPatienceMs = 10'000;

// A line that comes through a pipe; what there is of it when the pipe ends or the time is over.
std::string read_line(int pipe) {
    std::string line;
    pollfd readable{pipe, POLLIN, 0};
    char c = 0;
    while (::poll(&readable, 1, kStartPatienceMs) > 0 && ::read(pipe, &c, 1) == 1 && c != '\n') line += c;
    return c == '\n' ? line : std::string();
}

}  // namespace

GatewayProcess::GatewayProcess(const std::string& program, const std::string& bus) {
    if (program.empty() || ::access(program.c_str(), X_OK) != 0) return;
    if (!start(program, bus, "127.0.0.1:7480")) start(program, bus, "127.0.0.1:0");
}

bool GatewayProcess::start(const std::string& program, const std::string& bus, const char* listen) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (::getppid() != parent) ::_exit(0);
        sigset_t none;
        ::sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        ::setpgid(0, 0);  // Ctrl-C is the demo's
        const int nothing = ::open("/dev/null", O_RDWR);
        ::dup2(nothing, STDIN_FILENO);
        ::dup2(ends[1], STDOUT_FILENO);
        ::dup2(nothing, STDERR_FILENO);
        // Never one that makes the bus anew when the demo has removed it.
        ::execl(program.c_str(), program.c_str(), "--no-create", "--follow", "*", "--listen", listen, "--bus", bus.c_str(), nullptr);
        ::_exit(127);
    }
    ::close(ends[1]);
    if (pid_ > 0) address_ = read_line(ends[0]);
    ::close(ends[0]);
    if (address_.empty()) end(std::chrono::milliseconds(0));
    return !address_.empty();
}

void GatewayProcess::end(std::chrono::milliseconds patience) {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (::waitpid(pid_, nullptr, WNOHANG) == 0) {
        if (std::chrono::steady_clock::now() >= deadline) ::kill(pid_, SIGKILL);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    pid_ = 0;
    address_.clear();
}

}  // namespace swarm
