// The load of the gateway's benchmark: WebSocket clients that check the sequence of every event, and the publisher of these events, in
// one thread. Closed loop: never more on its way than `--window` events, so that nothing gets lost; or `--rate` events a second.
// Prints one JSON object.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <swarmbus/swarmbus.hpp>

#include "bench/gateway/event_reader.hpp"
#include "bench/gateway/web_socket.hpp"

namespace swarmbus::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr char kType[] = "bench.event";
constexpr std::size_t kReceiveBytes = std::size_t{128} << 10;  // small enough to stay in the cache
constexpr std::uint64_t kBurst = 256;                          // events between two looks at the sockets
constexpr Seconds kWarmUp(0.5);

struct Options {
    std::string address, bus, format = "flat";
    pid_t server = 0;
    std::size_t clients = 100, payload_bytes = 128;
    std::uint64_t window = 16'384;
    double rate = 0, seconds = 2;
    std::uint32_t batch_ms = 0;
    bool idle = false;
};

double cpu_seconds(clockid_t clock) {
    timespec used{};
    ::clock_gettime(clock, &used);
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

clockid_t cpu_clock_of(pid_t process) {
    clockid_t clock{};
    if (::clock_getcpuclockid(process, &clock) != 0) throw std::runtime_error("the server is gone");
    return clock;
}

// Memory of a process that is no file's.
std::size_t anonymous_bytes(pid_t process) {
    std::ifstream status("/proc/" + std::to_string(process) + "/status");
    std::string word;
    while (status >> word) {
        std::size_t kilobytes = 0;
        if (word == "RssAnon:" && status >> kilobytes) return kilobytes << 10;
    }
    throw std::runtime_error("the server is gone");
}

std::string subscribe_message(bool flat, std::uint32_t batch_ms) {
    if (!flat) {
        return client_frame(Opcode::text,
                            R"({"op":"subscribe","id":1,"patterns":["bench.*"],"batch_ms":)" + std::to_string(batch_ms) + "}");
    }
    flatbuffers::FlatBufferBuilder builder;
    const auto patterns = builder.CreateVectorOfStrings(std::vector<std::string>{"bench.*"});
    wire::SubscribeBuilder subscribe(builder);
    subscribe.add_patterns(patterns);
    subscribe.add_batch_ms(batch_ms);
    const auto control = subscribe.Finish().Union();
    wire::FrameBuilder frame(builder);
    frame.add_control(control);
    frame.add_control_type(wire::Control::Subscribe);
    builder.FinishSizePrefixed(frame.Finish());
    return client_frame(Opcode::binary, {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()});
}

struct Connection {
    int socket = -1;
    FrameReader frames;
    Received received;
    std::string left;  // of what was received: an event that is not there whole
};

class Load {
public:
    explicit Load(const Options& options) : options_(options), is_flat_(options.format == "flat"), buffer_(2 * kReceiveBytes) {
        if (options.bus.empty()) return;
        bus_.emplace(options.bus);
        publisher_.emplace(bus_->publisher(kType));
        payload_.assign(options.payload_bytes, 'x');
    }

    nlohmann::ordered_json run() {
        nlohmann::ordered_json result;
        result["clients"] = options_.clients;
        result["payload_bytes"] = options_.payload_bytes;
        result["format"] = options_.format;
        if (options_.idle) {
            // The first ones bring what all share.
            connect(options_.clients / 10);
            const std::size_t before = anonymous_bytes(options_.server), first = connections_.size();
            connect(options_.clients);
            result["user_bytes_per_client"] = (anonymous_bytes(options_.server) - before) / (options_.clients - first);
            return result;
        }
        connect(options_.clients);
        measure(result);
        return result;
    }

private:
    void connect(std::size_t count) {
        const std::string subscribe = subscribe_message(is_flat_, options_.batch_ms);
        while (connections_.size() < count) {
            Connection& connection = connections_.emplace_back();
            connection.socket = open_web_socket(options_.address, is_flat_ ? "swarmbus.v1.fb" : "swarmbus.v1.json", connection.left);
            if (::send(connection.socket, subscribe.data(), subscribe.size(), MSG_NOSIGNAL) < 0) throw std::runtime_error("send failed");
            epoll_event wanted{.events = EPOLLIN, .data = {.ptr = &connection}};
            ::epoll_ctl(poll_, EPOLL_CTL_ADD, connection.socket, &wanted);
        }
        if (options_.idle && !publisher_) return;  // the bare server answers by events alone
        const auto is_ready = [](const Connection& c) { return c.received.is_subscribed || c.received.events > 0; };
        const Clock::time_point patience = Clock::now() + std::chrono::seconds(60);
        while (!std::ranges::all_of(connections_, is_ready)) {
            if (Clock::now() > patience) throw std::runtime_error("not all clients were subscribed within a minute");
            receive(std::chrono::milliseconds(10));
        }
    }

    void measure(nlohmann::ordered_json& result) {
        const clockid_t server = cpu_clock_of(options_.server);
        run_until(Clock::now() + std::chrono::duration_cast<Clock::duration>(kWarmUp));
        delays_ns_.clear();
        const std::uint64_t events = total().events;
        const double server_cpu = cpu_seconds(server), own_cpu = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
        const Clock::time_point begin = Clock::now();
        run_until(begin + std::chrono::duration_cast<Clock::duration>(Seconds(options_.seconds)));
        const double seconds = Seconds(Clock::now() - begin).count();
        const double server_share = cpu_seconds(server) - server_cpu, own_share = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - own_cpu;
        const Received all = total();
        const auto deliveries = static_cast<double>(all.events - events);
        result["deliveries_per_second"] = std::llround(deliveries / seconds);
        // What it would be if nobody else used the cores: of use where the machine is shared.
        result["deliveries_per_server_cpu_second"] = std::llround(deliveries / server_share);
        result["deliveries_per_client_cpu_second"] = std::llround(deliveries / own_share);
        result["server_cpu"] = std::round(server_share / seconds * 1000) / 1000;
        result["client_cpu"] = std::round(own_share / seconds * 1000) / 1000;
        result["lost"] = all.lost;
        if (options_.rate > 0 && !delays_ns_.empty()) {
            std::ranges::sort(delays_ns_);
            const auto at = [&](double share) {
                return static_cast<double>(delays_ns_[static_cast<std::size_t>(share * static_cast<double>(delays_ns_.size() - 1))] /
                                           1000) /
                       1000;
            };
            result["delay_ms_p50"] = at(0.5);
            result["delay_ms_p99"] = at(0.99);
        }
    }

    void run_until(Clock::time_point end) {
        while (Clock::now() < end) {
            if (!publisher_) {
                receive(std::chrono::milliseconds(10));
            } else if (options_.rate > 0) {
                publish_paced();
            } else {
                publish_in_window();
            }
        }
    }

    void publish_in_window() {
        std::uint64_t slowest = published_;
        for (const Connection& connection : connections_)
            slowest = std::min(slowest, connection.received.events + connection.received.lost);
        const std::uint64_t room = options_.window - (published_ - slowest);
        for (std::uint64_t i = 0; i < std::min(room, kBurst); ++i) publish();
        receive(room >= kBurst ? std::chrono::nanoseconds(0) : std::chrono::milliseconds(1));
    }

    void publish_paced() {
        const Clock::time_point now = Clock::now();
        if (published_ == 0) due_ = now;
        for (; due_ <= now; due_ += std::chrono::nanoseconds(std::llround(1e9 / options_.rate))) publish();
        receive(due_ - now);
    }

    void publish() {
        publisher_->publish(payload_);
        ++published_;
    }

    // What is there, or what comes first.
    void receive(std::chrono::nanoseconds patience) {
        epoll_event ready[256];
        const timespec timeout{patience.count() / 1'000'000'000, patience.count() % 1'000'000'000};
        const int count = ::epoll_pwait2(poll_, ready, std::size(ready), &timeout, nullptr);
        for (int i = 0; i < count; ++i) receive(*static_cast<Connection*>(ready[i].data.ptr));
    }

    void receive(Connection& connection) {
        const std::size_t left = connection.left.copy(buffer_.data(), connection.left.size());
        const ssize_t got = ::recv(connection.socket, buffer_.data() + left, kReceiveBytes, MSG_DONTWAIT);
        if (got < 0) return;
        if (got == 0) throw std::runtime_error("the server has closed a connection");
        const std::string_view bytes(buffer_.data(), left + static_cast<std::size_t>(got));
        const std::size_t taken = connection.frames.read(bytes, [&](Opcode opcode, std::string_view part, bool is_begin, bool is_end) {
            switch (opcode) {
            case Opcode::text: return read_json(part, connection.received, is_begin, is_end);
            case Opcode::binary: return read_flat(part, connection.received, [this](std::uint64_t time_ns) { note_delay(time_ns); });
            case Opcode::ping: return part.size();
            default: throw std::runtime_error("the server has sent a frame that was not expected");
            }
        });
        connection.left.assign(bytes.substr(taken));
    }

    void note_delay(std::uint64_t published_ns) {
        if (options_.rate == 0) return;
        timespec now{};
        ::clock_gettime(CLOCK_REALTIME, &now);
        const std::uint64_t now_ns = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
        delays_ns_.push_back(now_ns > published_ns ? now_ns - published_ns : 0);
    }

    Received total() const {
        Received sum;
        for (const Connection& connection : connections_) {
            sum.events += connection.received.events;
            sum.lost += connection.received.lost;
        }
        return sum;
    }

    const Options options_;
    const bool is_flat_;
    const int poll_ = ::epoll_create1(EPOLL_CLOEXEC);
    std::deque<Connection> connections_;
    std::vector<char> buffer_;
    std::optional<Bus> bus_;
    std::optional<Publisher> publisher_;
    std::string payload_;
    std::uint64_t published_ = 0;
    Clock::time_point due_{};
    std::vector<std::uint64_t> delays_ns_;
};

}  // namespace
}  // namespace swarmbus::bench

int main(int argc, char** argv) {
    using namespace swarmbus::bench;
    Options options;
    CLI::App app("Clients and publisher for the gateway's benchmark");
    app.add_option("--address", options.address, "Of the server")->required();
    app.add_option("--server", options.server, "Its process, whose time and memory are told")->required();
    app.add_option("--bus", options.bus, "Publish there; without it the server makes the events");
    app.add_option("--format", options.format, "flat or json");
    app.add_option("--clients", options.clients, "How many");
    app.add_option("--payload", options.payload_bytes, "Bytes");
    app.add_option("--window", options.window, "Events on their way at most");
    app.add_option("--rate", options.rate, "Events a second; 0: as many as there may be");
    app.add_option("--batch-ms", options.batch_ms, "What clients ask for");
    app.add_option("--seconds", options.seconds, "How long to measure");
    app.add_flag("--idle", options.idle, "Tell the server's memory for clients that nothing is sent to");
    CLI11_PARSE(app, argc, argv);
    try {
        std::cout << Load(options).run().dump() << std::endl;
    } catch (const std::exception& e) {
        std::cerr << "load: " << e.what() << "\n";
        return 1;
    }
    return 0;
}
