#include "bench/gateway/web_socket.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace swarmbus::bench {
namespace {

constexpr std::size_t kShort = 126, kMedium = 65'536;

// The length of a payload, behind the first byte of its header.
void append_length(std::string& out, std::size_t length, unsigned char mask_bit) {
    int bytes = 0;
    if (length < kShort) {
        out += static_cast<char>(length | mask_bit);
    } else if (length < kMedium) {
        out += static_cast<char>(126 | mask_bit);
        bytes = 2;
    } else {
        out += static_cast<char>(127 | mask_bit);
        bytes = 8;
    }
    for (int i = bytes; i-- > 0;) out += static_cast<char>(length >> (8 * i) & 0xff);
}

}  // namespace

int open_web_socket(const std::string& address, std::string_view subprotocol, std::string& rest) {
    const std::size_t colon = address.rfind(':');
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
    ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0 || ::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
        throw std::runtime_error("no connection to " + address);
    }
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const std::string request = "GET /v1/ws HTTP/1.1\r\nHost: " + address +
                                "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: " +
                                std::string(subprotocol) + "\r\n\r\n";
    if (::send(socket, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
        throw std::runtime_error("the request could not be sent");
    }
    std::array<char, 4096> buffer;
    rest.clear();
    std::size_t end;
    while ((end = rest.find("\r\n\r\n")) == std::string::npos) {
        const ssize_t got = ::recv(socket, buffer.data(), buffer.size(), 0);
        if (got <= 0) throw std::runtime_error("no answer to the request for a WebSocket");
        rest.append(buffer.data(), static_cast<std::size_t>(got));
    }
    if (!rest.starts_with("HTTP/1.1 101")) throw std::runtime_error("no WebSocket: " + rest.substr(0, rest.find('\r')));
    rest.erase(0, end + 4);
    return socket;
}

std::string client_frame(Opcode opcode, std::string_view payload) {
    std::string frame(1, static_cast<char>(0x80 | static_cast<unsigned>(opcode)));
    append_length(frame, payload.size(), 0x80);
    frame.append(4, '\0');
    return frame.append(payload);
}

void append_server_header(std::string& out, Opcode opcode, std::size_t payload_bytes) {
    out += static_cast<char>(0x80 | static_cast<unsigned>(opcode));
    append_length(out, payload_bytes, 0);
}

std::size_t FrameReader::parse_header(std::string_view bytes) {
    if (bytes.size() < 2) return 0;
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
    if ((byte(0) & 0x70) != 0) throw std::runtime_error("a frame has a reserved bit");
    if ((byte(1) & 0x80) != 0) throw std::runtime_error("a frame of the server is masked");
    const std::size_t length = byte(1) & 0x7f;
    const std::size_t more = length == 127 ? 8 : length == 126 ? 2 : 0;
    if (bytes.size() < 2 + more) return 0;
    left_ = more == 0 ? length : 0;
    for (std::size_t i = 0; i < more; ++i) left_ = left_ << 8 | byte(2 + i);
    if ((more == 2 && left_ < kShort) || (more == 8 && left_ < kMedium)) throw std::runtime_error("a frame's length is written too long");
    opcode_ = static_cast<Opcode>(byte(0) & 0x0f);
    return 2 + more;
}

}  // namespace swarmbus::bench
