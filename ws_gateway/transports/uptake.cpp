#include "ws_gateway/transports/uptake.hpp"

#include <linux/tcp.h>
#include <sys/socket.h>

#include <netinet/in.h>

namespace swarmbus::gateway {

bool Uptake::is_stuck(Clock::time_point now, Clock::duration patience) noexcept {
    tcp_info info{};
    socklen_t bytes = sizeof info;
    if (::getsockopt(socket_, IPPROTO_TCP, TCP_INFO, &info, &bytes) == 0 && info.tcpi_bytes_acked != acknowledged_) {
        acknowledged_ = info.tcpi_bytes_acked;
        moved_at_ = now;
    }
    return now - moved_at_ >= patience;
}

}  // namespace swarmbus::gateway
