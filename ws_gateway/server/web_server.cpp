#include "ws_gateway/server/web_server.hpp"

#include <arpa/inet.h>
#include <ev.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <random>
#include <stdexcept>
#include <unordered_map>

#include "ws_gateway/observe/log.hpp"
#include "ws_gateway/server/connections.hpp"
#include "ws_gateway/server/http_exchange.hpp"
#include "ws_gateway/server/lws.hpp"
#include "ws_gateway/transports/websocket.hpp"

namespace swarmbus::gateway {
namespace {

// Small, since every WebSocket has one; messages are put together from several.
constexpr std::size_t kReceiveBytes = 512;
constexpr unsigned short kHeaderBytes = 16 << 10;
constexpr std::size_t kSendBytes = std::size_t{1} << 20;
constexpr ev_tstamp kTick = 0.1;
constexpr ev_tstamp kLongestFarewell = 4;
// While all clients gather, the bus is looked at this often instead of at every event: waking up costs more than an event does.
constexpr std::chrono::milliseconds kRest(2);
// libwebsockets' own limits are for what is not noticed here.
constexpr unsigned kLaterSeconds = 2;
constexpr std::uint32_t kBackWithoutBusMs = 3000;

std::string address_of_peer(int socket) {
    sockaddr_storage peer{};
    socklen_t bytes = sizeof peer;
    if (::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &bytes) != 0) return {};
    char text[INET6_ADDRSTRLEN] = "";
    if (peer.ss_family == AF_INET) ::inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in&>(peer).sin_addr, text, sizeof text);
    if (peer.ss_family == AF_INET6) ::inet_ntop(AF_INET6, &reinterpret_cast<sockaddr_in6&>(peer).sin6_addr, text, sizeof text);
    return text;
}

// What is known of a connection only as its socket is told, and then it is to be closed.
void tell(int socket, const Response& response) {
    const std::string text = text_of(response, "Connection: close\r\n", true);
    if (::send(socket, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) return;
    ::shutdown(socket, SHUT_WR);
    // With something unread, closing would reset the connection, and might take the answer from the peer.
    char bytes[4096];
    for (int reads = 0; reads < 4 && ::recv(socket, bytes, sizeof bytes, MSG_DONTWAIT) > 0; ++reads) {}
}

void log_of_libwebsockets(int, const char* line) {
    std::string_view text(line);
    while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    log_debug("libwebsockets", text);
}

}  // namespace

class WebServer::Implementation {
public:
    Implementation(struct ev_loop* loop, Gateway& gateway, Access access)
        : loop_(loop),
          gateway_(gateway),
          access_(std::move(access)),
          connections_(gateway.options().max_connections, gateway.options().max_connections_per_address),
          http_(gateway, access_, loop),
          websockets_(gateway, access_) {
        listen();
        start_watchers();
    }

    ~Implementation() {
        ev_timer_stop(loop_, &tick_);
        ev_timer_stop(loop_, &due_);
        ev_timer_stop(loop_, &farewell_);
        ev_io_stop(loop_, &bus_);
        ev_prepare_stop(loop_, &before_waiting_);
        lws_context_destroy(context_);
    }

    std::string address() const {
        const Endpoint asked = parse_endpoint(gateway_.options().listen);
        const std::string port = std::to_string(lws_get_vhost_listen_port(vhost_));
        return asked.host.find(':') == std::string::npos ? asked.host + ":" + port : "[" + asked.host + "]:" + port;
    }

    void turn() {
        const Clock::time_point now = Clock::now();
        const Gateway::Turn turn = gateway_.turn(now);
        bus_has_more_ = turn.bus_has_more;
        rests_until_ = turn.may_rest ? now + kRest : Clock::time_point();
    }

    void shut_down() {
        if (shutting_down_) return;
        shutting_down_ = true;
        log_info("gateway", "shutting down", {{"connections", std::to_string(connections_.size())}});
        accepting_ = false;
        gateway_.hub().flush(Clock::now());
        std::minstd_rand random{std::random_device()()};
        std::uniform_int_distribution<std::uint32_t> spread(
            500, 500 + static_cast<std::uint32_t>(std::min<std::size_t>(connections_.size() * 4, 10'000)));
        http_.shut_down({"restart", spread(random), {}});
        for (Client* client : websockets_.clients())
            websockets_.shut_down(*client, {"restart", spread(random), gateway_.cursor_of(*client)});
        ev_timer_init(
            &farewell_, [](struct ev_loop* loop, ev_timer*, int) { ev_break(loop, EVBREAK_ALL); }, kLongestFarewell, 0);
        ev_timer_start(loop_, &farewell_);
        end_if_alone();
    }

    template <typename Call>
    void end_if_it_fails(Call&& call) noexcept {
        try {
            call();
        } catch (...) {
            failure_ = std::current_exception();
            ev_break(loop_, EVBREAK_ALL);
        }
    }
    void throw_if_failed() const {
        if (failure_) std::rethrow_exception(failure_);
    }

private:
    // What libwebsockets keeps for a connection.
    struct Slot {
        HttpExchange* http;
        WebSocketTransport::Session* websocket;
        std::string* echo;
    };

    static Implementation& of(lws* wsi) { return *static_cast<Implementation*>(lws_context_user(lws_get_context(wsi))); }

    void listen() {
        lws_set_log_level(LLL_ERR | LLL_WARN, log_of_libwebsockets);
        protocols_ = {{
            {"http", on_http, sizeof(Slot), kReceiveBytes, 0, nullptr, kSendBytes},
            {"swarmbus.v1.json", on_websocket, sizeof(Slot), kReceiveBytes, 1, nullptr, kSendBytes},
            {"swarmbus.v1.fb", on_websocket, sizeof(Slot), kReceiveBytes, 2, nullptr, kSendBytes},
            {nullptr, nullptr, 0, 0, 0, nullptr, 0},
        }};
        const Endpoint endpoint = parse_endpoint(gateway_.options().listen);
        lws_context_creation_info info{};
        void* loops[] = {loop_};
        info.foreign_loops = loops;
        info.user = this;
        info.options = LWS_SERVER_OPTION_LIBEV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_VALIDATE_UTF8;
        if (endpoint.host.find(':') == std::string::npos) info.options |= LWS_SERVER_OPTION_DISABLE_IPV6;
        info.pt_serv_buf_size = 4096;
        info.max_http_header_data = kHeaderBytes;  // a WebSocket gives it back
        info.timeout_secs = static_cast<unsigned>(gateway_.options().request_timeout.count() / 1000) + kLaterSeconds;
        context_ = lws_create_context(&info);
        if (context_ == nullptr) throw std::runtime_error("libwebsockets could not be started");
        info.protocols = protocols_.data();
        info.port = endpoint.port;
        info.iface = endpoint.host == "localhost" ? "127.0.0.1" : endpoint.host.c_str();
        info.vhost_name = "gateway";
        info.keepalive_timeout = info.timeout_secs;
        info.timeout_secs_ah_idle = info.timeout_secs;  // a request that is not there whole, or has not begun
        vhost_ = lws_create_vhost(context_, &info);
        if (vhost_ == nullptr || lws_get_vhost_listen_port(vhost_) <= 0) {
            lws_context_destroy(context_);
            throw std::runtime_error("nobody can listen at " + gateway_.options().listen + ": is another gateway there? (--listen)");
        }
    }

    void start_watchers() {
        ev_timer_init(&tick_, (on_event<&Implementation::tick, ev_timer>), kTick, kTick);
        ev_timer_init(&due_, (on_event<&Implementation::turn, ev_timer>), 0, 0);
        ev_prepare_init(&before_waiting_, (on_event<&Implementation::set_alarms, ev_prepare>));
        ev_io_init(&bus_, (on_event<&Implementation::turn, ev_io>), -1, EV_READ);
        tick_.data = due_.data = before_waiting_.data = bus_.data = this;
        ev_timer_start(loop_, &tick_);
        ev_prepare_start(loop_, &before_waiting_);
    }

    // Before the loop waits, whatever it was that changed what is to be waited for.
    void set_alarms() {
        const bool rests = rests_until_ != Clock::time_point();
        std::optional<Clock::time_point> due = gateway_.next_due();
        if (rests) due = std::min(due.value_or(rests_until_), rests_until_);
        if (bus_has_more_ || gateway_.hub().has_more()) due = Clock::time_point();
        if (due != alarm_ || due.has_value() != (ev_is_active(&due_) != 0)) {
            alarm_ = due;
            ev_timer_stop(loop_, &due_);
            if (due) {
                ev_timer_set(&due_, std::max(0.0, std::chrono::duration<double>(*due - Clock::now()).count()), 0.0);
                ev_timer_start(loop_, &due_);
            }
        }
        watch_bus(!rests);
    }

    // The bus's descriptor is there once something is followed.
    void watch_bus(bool wanted) {
        if (gateway_.has_new_descriptor() || bus_.fd < 0) {
            ev_io_stop(loop_, &bus_);
            ev_io_set(&bus_, gateway_.descriptor().value_or(-1), EV_READ);
        }
        wanted &= bus_.fd >= 0;
        if (wanted != (ev_is_active(&bus_) != 0)) wanted ? ev_io_start(loop_, &bus_) : ev_io_stop(loop_, &bus_);
    }

    void tick() {
        // libwebsockets' own timers under libev are late without.
        lws_cancel_service(context_);
        const Clock::time_point now = Clock::now();
        give_up_waiting(now);
        http_.tick(now);
        websockets_.tick(now);
        if (++ticks_ % 10 == 0) {
            gateway_.tick(now);
            if (gateway_.is_bus_gone(now)) tell_that_bus_is_gone();
        }
        turn();
        end_if_alone();
    }

    // Who follows anything may come back and ask again.
    void tell_that_bus_is_gone() {
        const ByeMessage bye{"bus", kBackWithoutBusMs, {}};
        http_.say_goodbye(bye);
        for (Client* client : websockets_.clients()) {
            if (client->filter != nullptr) websockets_.end_for_bus(*client, bye);
        }
    }

    void end_if_alone() {
        if (shutting_down_ && connections_.size() == 0) ev_break(loop_, EVBREAK_ALL);
    }

    // Why there is no room for a connection from there.
    std::optional<Response> find_refusal(const std::string& address) const {
        Response refusal;
        if (!accepting_) {
            refusal = error_response(503, "shutting_down", "the gateway is about to end");
        } else if (const Connections::Room room = connections_.room_for(address); room == Connections::Room::there_is) {
            return std::nullopt;
        } else if (room == Connections::Room::all_taken) {
            refusal = error_response(503, "full", "there are as many connections as there may be (--max-connections)");
        } else {
            refusal = error_response(
                429, "too_many_connections",
                "there are as many connections from " + address + " as there may be of one address (--max-connections-per-address)");
        }
        ask_to_come_back(refusal);
        return refusal;
    }

    // Those who have connected and asked for nothing, or are still at it.
    void give_up_waiting(Clock::time_point now) {
        std::erase_if(without_request_, [&](const auto& waiting) {
            if (now - waiting.second < gateway_.options().request_timeout) return false;
            gateway_.metrics().refused(Refusal::timeout);
            tell(lws_get_socket_fd(waiting.first), too_slow());
            hang_up(waiting.first);
            return true;
        });
    }

    // Exceptions don't go through libwebsockets and libev, which are C. Without what libev calls the gateway is not one any more: it ends.
    template <auto kCall, typename Watcher>
    static void on_event(struct ev_loop*, Watcher* watcher, int) {
        auto& self = *static_cast<Implementation*>(watcher->data);
        self.end_if_it_fails([&] { (self.*kCall)(); });
    }

    // 0: go on; else it was decided here.
    int on_connection(lws* wsi, lws_callback_reasons reason, void* in) {
        switch (reason) {
        case LWS_CALLBACK_FILTER_NETWORK_CONNECTION: {
            const auto socket = static_cast<int>(reinterpret_cast<std::intptr_t>(in));
            const auto refusal = find_refusal(address_of_peer(socket));
            if (!refusal) return 0;
            gateway_.metrics().refused(Refusal::connections);
            tell(socket, *refusal);
            return 1;
        }
        case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
            connections_.add(wsi, address_of_peer(lws_get_socket_fd(wsi)));
            without_request_.emplace(wsi, Clock::now());
            return 0;
        case LWS_CALLBACK_WSI_DESTROY:
            connections_.remove(wsi);
            without_request_.erase(wsi);
            return 0;
        default: return 0;
        }
    }

    static int on_http(lws* wsi, lws_callback_reasons reason, void* user, void* in, std::size_t bytes) {
        auto* const slot = static_cast<Slot*>(user);
        try {
            return of_http(wsi, reason, slot, in, bytes);
        } catch (const std::exception& e) {
            const bool may_answer =
                reason == LWS_CALLBACK_HTTP || reason == LWS_CALLBACK_HTTP_BODY || reason == LWS_CALLBACK_HTTP_BODY_COMPLETION;
            return of(wsi).http_.failed(wsi, may_answer && slot != nullptr ? slot->http : nullptr, e);
        }
    }

    static int on_websocket(lws* wsi, lws_callback_reasons reason, void* user, void* in, std::size_t bytes) {
        try {
            return of_websocket(wsi, reason, static_cast<Slot*>(user), in, bytes);
        } catch (const std::exception& e) {
            log_error("gateway", "a WebSocket could not be served", {{"error", e.what()}});
            lws_close_reason(wsi, static_cast<lws_close_status>(CloseCode::fault), nullptr, 0);
            return -1;
        }
    }

    static int of_http(lws* wsi, lws_callback_reasons reason, Slot* slot, void* in, std::size_t bytes) {
        switch (reason) {
        case LWS_CALLBACK_HTTP:
            of(wsi).without_request_.erase(wsi);
            return of(wsi).http_.request(wsi, {static_cast<const char*>(in), bytes}, slot->http);
        case LWS_CALLBACK_HTTP_BODY:
            return slot->http == nullptr ? -1 : of(wsi).http_.body(*slot->http, {static_cast<const char*>(in), bytes});
        case LWS_CALLBACK_HTTP_BODY_COMPLETION: return slot->http == nullptr ? -1 : of(wsi).http_.body_is_there(*slot->http);
        case LWS_CALLBACK_HTTP_WRITEABLE: return slot == nullptr || slot->http == nullptr ? -1 : of(wsi).http_.writable(*slot->http);
        case LWS_CALLBACK_CLOSED_HTTP:
        case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
            if (slot != nullptr) of(wsi).http_.closed(slot->http);
            return 0;
        case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE: {
            of(wsi).without_request_.erase(wsi);
            bool has_token = false;
            if (!of(wsi).http_.admits_websocket(wsi, has_token)) return -1;
            lws_set_opaque_user_data(wsi, has_token ? &of(wsi) : nullptr);
            return 0;
        }
        case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:  // a WebSocket without a subprotocol
            return of(wsi).gateway_.options().echo && header_of(wsi, WSI_TOKEN_GET_URI) == kEcho ? 0 : 1;
        case LWS_CALLBACK_ESTABLISHED:
        case LWS_CALLBACK_RECEIVE:
        case LWS_CALLBACK_SERVER_WRITEABLE:
        case LWS_CALLBACK_CLOSED:
        case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL: return on_echo(wsi, reason, slot, in, bytes);
        default: return of(wsi).on_connection(wsi, reason, in);
        }
    }

    static int of_websocket(lws* wsi, lws_callback_reasons reason, Slot* slot, void* in, std::size_t bytes) {
        switch (reason) {
        case LWS_CALLBACK_ESTABLISHED: {
            Implementation& self = of(wsi);
            MessageForm& form = self.gateway_.form(lws_get_protocol(wsi)->id == 1 ? Format::json : Format::flat);
            slot->websocket = self.websockets_.open(wsi, form, lws_get_opaque_user_data(wsi) != nullptr);
            return 0;
        }
        case LWS_CALLBACK_RECEIVE:
            if (slot->websocket == nullptr) return 0;  // being closed: what the peer had sent before it heard of that
            of(wsi).websockets_.receive(*slot->websocket, {static_cast<const char*>(in), bytes},
                                        lws_is_final_fragment(wsi) != 0 && lws_remaining_packet_payload(wsi) == 0);
            return 0;
        case LWS_CALLBACK_RECEIVE_PONG:
            if (slot->websocket != nullptr) of(wsi).websockets_.heard(*slot->websocket);
            return 0;
        case LWS_CALLBACK_SERVER_WRITEABLE:
            // Being closed, it waits for the peer's answer: to hang up now would take the code from the peer.
            return slot->websocket == nullptr || of(wsi).websockets_.writable(*slot->websocket) ? 0 : -1;
        case LWS_CALLBACK_CLOSED:
        case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
            if (slot != nullptr && slot->websocket != nullptr) of(wsi).websockets_.close(*std::exchange(slot->websocket, nullptr));
            return 0;
        default: return of(wsi).on_connection(wsi, reason, in);
        }
    }

    // What comes goes back: for tests of the protocol by others.
    static int on_echo(lws* wsi, lws_callback_reasons reason, Slot* slot, void* in, std::size_t bytes) {
        switch (reason) {
        case LWS_CALLBACK_ESTABLISHED: slot->echo = new std::string(LWS_PRE, '\0'); return 0;
        case LWS_CALLBACK_RECEIVE:
            if (slot->echo == nullptr) return 0;
            slot->echo->append(static_cast<const char*>(in), bytes);
            if (lws_is_final_fragment(wsi) == 0 || lws_remaining_packet_payload(wsi) > 0) return 0;
            if (!write(wsi, slot->echo->data() + LWS_PRE, slot->echo->size() - LWS_PRE,
                       lws_frame_is_binary(wsi) != 0 ? LWS_WRITE_BINARY : LWS_WRITE_TEXT))
                return -1;
            slot->echo->resize(LWS_PRE);
            if (lws_partial_buffered(wsi)) {
                lws_rx_flow_control(wsi, 0);
                lws_callback_on_writable(wsi);
            }
            return 0;
        case LWS_CALLBACK_SERVER_WRITEABLE: lws_rx_flow_control(wsi, 1); return 0;
        case LWS_CALLBACK_CLOSED:
        case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
            if (slot != nullptr) delete std::exchange(slot->echo, nullptr);
            return 0;
        default: return 0;
        }
    }

    struct ev_loop* const loop_;
    Gateway& gateway_;
    const Access access_;
    Connections connections_;
    HttpServer http_;
    WebSocketTransport websockets_;
    std::array<lws_protocols, 4> protocols_{};
    lws_context* context_ = nullptr;
    lws_vhost* vhost_ = nullptr;
    ev_timer tick_{}, due_{}, farewell_{};
    ev_io bus_{};
    ev_prepare before_waiting_{};
    std::optional<Clock::time_point> alarm_;  // that due_ is set to
    Clock::time_point rests_until_{};
    bool bus_has_more_ = false;
    unsigned ticks_ = 0;
    std::unordered_map<lws*, Clock::time_point> without_request_;  // since when
    std::exception_ptr failure_;
    bool accepting_ = true, shutting_down_ = false;
};

WebServer::WebServer(struct ev_loop* loop, Gateway& gateway, Access access)
    : implementation_(std::make_unique<Implementation>(loop, gateway, std::move(access))) {}
WebServer::~WebServer() = default;

std::string WebServer::address() const { return implementation_->address(); }
void WebServer::turn() { implementation_->turn(); }
void WebServer::shut_down() {
    implementation_->end_if_it_fails([&] { implementation_->shut_down(); });
}
void WebServer::throw_if_failed() const { implementation_->throw_if_failed(); }

}  // namespace swarmbus::gateway
