// The limit of the gateway's benchmark: the same frames, from a server that does nothing but send them. It makes the events itself, as
// many to a message as the gateway would, and needs no bus, no journal, no filters.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <deque>
#include <iostream>
#include <stdexcept>
#include <string>

#include <CLI/CLI.hpp>

#include "bench/gateway/web_socket.hpp"
#include "ws_gateway/messages/event_json.hpp"
#include "ws_gateway/messages/flat_messages.hpp"
#include "ws_gateway/messages/json_messages.hpp"

namespace swarmbus::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMessageBytes = std::size_t{64} << 10;  // as the gateway
constexpr int kSendBufferBytes = 256 << 10;
constexpr std::uint64_t kMostMessages = 16;  // that are kept for the slowest

struct Options {
    std::string format = "flat";
    std::size_t clients = 100, payload_bytes = 128;
    double rate = 0;
    bool idle = false;
};

std::uint64_t unix_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

// Messages of events that are numbered from 1.
class Messages {
public:
    explicit Messages(const Options& options) : is_flat_(options.format == "flat"), payload_(options.payload_bytes, 'x') {}

    // With as many events as fit, or with one.
    std::string next(bool is_full) {
        events_.clear();
        gateway::Record record;
        record.type_name = "bench.event";
        record.source = "bare";
        record.writer = 1;
        record.time_ns = unix_ns();
        record.payload = payload_;
        do {
            record.sequence = record.offset = ++sequence_;
            is_flat_ ? flat_events_.encode(record, events_) : json_events_.encode(record, events_);
        } while (is_full && events_.size() < kMessageBytes);
        gateway::Batch batch;
        batch.pieces.push_back(events_);
        std::string payload;
        if (is_flat_) {
            gateway::FlatMessages().events(payload, batch, {1, sequence_});
        } else {
            gateway::JsonMessages().events(payload, batch, {1, sequence_});
        }
        std::string message;
        append_server_header(message, is_flat_ ? Opcode::binary : Opcode::text, payload.size());
        return message += payload;
    }

private:
    const bool is_flat_;
    const std::string payload_;
    gateway::FlatEvents flat_events_;
    gateway::JsonEvents json_events_{[](const swb_event&, std::string&) { return false; }};
    std::string events_;
    std::uint64_t sequence_ = 0;
};

struct Connection {
    int socket = -1;
    std::uint64_t message = 0;  // comes next
    std::size_t sent = 0;       // of it
    bool is_writable = true;
};

class Server {
public:
    explicit Server(const Options& options) : options_(options), source_(options) {
        sockaddr_in here{};
        here.sin_family = AF_INET;
        here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t bytes = sizeof here;
        if (listener_ < 0 || ::bind(listener_, reinterpret_cast<sockaddr*>(&here), bytes) != 0 || ::listen(listener_, 1024) != 0 ||
            ::getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &bytes) != 0) {
            throw std::runtime_error("nobody can listen");
        }
        std::cout << "http://127.0.0.1:" << ntohs(here.sin_port) << std::endl;
    }

    void run() {
        for (std::size_t i = 0; i < options_.clients; ++i) accept_one();
        if (options_.idle) ::pause();
        const std::chrono::nanoseconds gap(options_.rate > 0 ? std::llround(1e9 / options_.rate) : 0);
        Clock::time_point due = Clock::now();
        while (true) {
            if (options_.rate == 0) {
                if (has_room()) messages_.push_back(source_.next(true));
                send_all();
                wait(has_room() ? std::chrono::nanoseconds(0) : std::chrono::milliseconds(100));
                continue;
            }
            const Clock::time_point now = Clock::now();
            if (due <= now) {
                messages_.push_back(source_.next(false));
                due += gap;
                send_all();
                has_room();
            } else {
                wait(due - now);
            }
        }
    }

private:
    void accept_one() {
        Connection& connection = connections_.emplace_back();
        connection.socket = ::accept(listener_, nullptr, nullptr);
        std::string request;
        char bytes[4096];
        while (request.find("\r\n\r\n") == std::string::npos) {
            const ssize_t got = ::recv(connection.socket, bytes, sizeof bytes, 0);
            if (got <= 0) throw std::runtime_error("a client has gone");
            request.append(bytes, static_cast<std::size_t>(got));
        }
        const int on = 1;
        ::setsockopt(connection.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::setsockopt(connection.socket, SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof kSendBufferBytes);
        std::string answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
        if (options_.idle) answer += subscribed();
        if (::send(connection.socket, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) throw std::runtime_error("send failed");
        epoll_event wanted{.events = EPOLLOUT | EPOLLET, .data = {.ptr = &connection}};
        ::epoll_ctl(poll_, EPOLL_CTL_ADD, connection.socket, &wanted);
    }

    // What the load waits for where no event comes.
    static std::string subscribed() {
        std::string payload, message;
        gateway::FlatMessages().subscribed(payload, {});
        append_server_header(message, Opcode::binary, payload.size());
        return message + payload;
    }

    // Forgets what all have; whether the slowest is near enough for one more.
    bool has_room() {
        std::uint64_t slowest = first_ + messages_.size();
        for (const Connection& connection : connections_) slowest = std::min(slowest, connection.message);
        for (; first_ < slowest; ++first_) messages_.pop_front();
        return messages_.size() < kMostMessages;
    }

    void send_all() {
        for (Connection& connection : connections_) {
            while (connection.is_writable && connection.message < first_ + messages_.size()) send_some(connection);
        }
    }

    void send_some(Connection& connection) {
        const std::string& message = messages_[connection.message - first_];
        const ssize_t sent =
            ::send(connection.socket, message.data() + connection.sent, message.size() - connection.sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            if (errno != EAGAIN) std::exit(0);  // the load has ended
            connection.is_writable = false;
            return;
        }
        connection.sent += static_cast<std::size_t>(sent);
        if (connection.sent < message.size()) return;
        connection.sent = 0;
        ++connection.message;
    }

    void wait(std::chrono::nanoseconds patience) {
        epoll_event ready[256];
        const timespec timeout{patience.count() / 1'000'000'000, patience.count() % 1'000'000'000};
        const int count = ::epoll_pwait2(poll_, ready, std::size(ready), &timeout, nullptr);
        for (int i = 0; i < count; ++i) static_cast<Connection*>(ready[i].data.ptr)->is_writable = true;
    }

    const Options options_;
    Messages source_;
    const int poll_ = ::epoll_create1(EPOLL_CLOEXEC), listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    std::deque<Connection> connections_;
    std::deque<std::string> messages_;
    std::uint64_t first_ = 0;  // of messages_
};

}  // namespace
}  // namespace swarmbus::bench

int main(int argc, char** argv) {
    using namespace swarmbus::bench;
    Options options;
    CLI::App app("The limit of the gateway's benchmark");
    app.add_option("--format", options.format, "flat or json");
    app.add_option("--clients", options.clients, "Starts when so many have come");
    app.add_option("--payload", options.payload_bytes, "Bytes");
    app.add_option("--rate", options.rate, "Events a second, one to a message; 0: as many as the sockets take");
    app.add_flag("--idle", options.idle, "Send nothing");
    CLI11_PARSE(app, argc, argv);
    try {
        Server(options).run();
    } catch (const std::exception& e) {
        std::cerr << "bare-epoll: " << e.what() << "\n";
        return 1;
    }
}
