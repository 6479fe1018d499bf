// The gateway, which shows the swarm in browsers: started beside the agents, ended with the demo, and gone if that is killed.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

namespace swarm {

class GatewayProcess {
public:
    // Starts it on the bus, at its usual address or, if that is taken, at a free one. Without such a program there is no gateway.
    GatewayProcess(const std::string& program, const std::string& bus);
    ~GatewayProcess() { end(std::chrono::seconds(5)); }
    GatewayProcess(const GatewayProcess&) = delete;
    GatewayProcess& operator=(const GatewayProcess&) = delete;

    // "http://127.0.0.1:7480"; empty if there is none.
    const std::string& address() const noexcept { return address_; }
    // Asks it to end, waits, and kills it if it has not by then.
    void end(std::chrono::milliseconds patience);

private:
    bool start(const std::string& program, const std::string& bus, const char* listen);

    pid_t pid_ = 0;
    std::string address_;
};

}  // namespace swarm
