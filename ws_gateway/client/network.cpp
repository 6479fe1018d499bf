#include "ws_gateway/client/network.hpp"

#include <ev.h>

#include <array>
#include <charconv>
#include <cstring>
#include <deque>
#include <stdexcept>

#include "src/tool/text.hpp"
#include "ws_gateway/server/lws.hpp"

namespace swarmbus::remote {
namespace {

using gateway::header_of;

constexpr std::size_t kReceiveBytes = std::size_t{64} << 10;
constexpr std::size_t kMostAnswerBytes = std::size_t{8} << 20;
constexpr std::size_t kMostTold = 200;
constexpr const char* kSubprotocol = "swarmbus.v1.fb";

struct EndLoop {
    void operator()(struct ev_loop* loop) const noexcept { ev_loop_destroy(loop); }
};

// What libwebsockets calls a failure, for people.
std::string failure_in(const void* text, std::size_t bytes) {
    const std::string_view told(static_cast<const char*>(text), text == nullptr ? 0 : std::min(bytes, kMostTold));
    constexpr std::string_view kErrno = "conn fail: ", kHandshake = "HS: ";
    int number = 0;
    if (told.starts_with(kErrno) && std::from_chars(told.data() + kErrno.size(), told.data() + told.size(), number).ec == std::errc())
        return std::string("it can't be reached: ") + std::strerror(number);
    if (told.starts_with(kHandshake)) return "its answer is none of a gateway: " + tool::printable(told.substr(kHandshake.size()));
    return told.empty() ? "it can't be reached" : "it can't be reached: " + tool::printable(told);
}

}  // namespace

class Network::Implementation {
public:
    Implementation(GatewayUrl url, std::string token, std::size_t most_message_bytes, Events& events)
        : url_(std::move(url)),
          authorization_(token.empty() ? std::string() : "Bearer " + token),
          most_message_bytes_(most_message_bytes),
          events_(events),
          loop_(ev_loop_new(EVFLAG_AUTO)) {
        if (loop_ == nullptr) throw std::runtime_error("there is no event loop");
        lws_set_log_level(0, nullptr);  // what matters is told by callbacks
        protocols_ = {{
            {kSubprotocol, on_websocket, 0, kReceiveBytes, 0, nullptr, 0},
            {"http", on_http, 0, kReceiveBytes, 0, nullptr, 0},
            {nullptr, nullptr, 0, 0, 0, nullptr, 0},
        }};
        lws_context_creation_info info{};
        void* loops[] = {loop_.get()};
        info.foreign_loops = loops;
        info.user = this;
        info.port = CONTEXT_PORT_NO_LISTEN;
        info.protocols = protocols_.data();
        info.options = LWS_SERVER_OPTION_LIBEV;
        info.fd_limit_per_thread = kMostSockets;  // else it makes tables for as many as the process may have
        context_ = lws_create_context(&info);
        if (context_ == nullptr) throw std::runtime_error("libwebsockets could not be started");
        ev_timer_init(
            &until_, [](struct ev_loop*, ev_timer*, int) {}, 0, 0);
    }

    ~Implementation() {
        websocket_tag_ = request_tag_ = nullptr;
        lws_context_destroy(context_);
    }

    void connect() {
        hang_up();
        incoming_.reset();
        outgoing_.clear();
        lws_client_connect_info info = connect_info();
        const std::string path = url_.path + "/v1/ws";
        info.path = path.c_str();
        info.protocol = info.local_protocol_name = kSubprotocol;
        info.opaque_user_data = websocket_tag_ = new_tag();
        info.pwsi = &websocket_;
        if (lws_client_connect_via_info(&info) == nullptr && websocket_tag_ != nullptr)
            end_websocket(ending_of_failure("it can't be reached"));
    }

    void hang_up() {
        websocket_tag_ = nullptr;
        drop(websocket_);
    }

    void send(std::string message) {
        if (websocket_ == nullptr) return;
        outgoing_.push_back(std::string(LWS_PRE, '\0') + message);
        lws_callback_on_writable(websocket_);
    }

    void read(bool reading) {
        if (websocket_ != nullptr) lws_rx_flow_control(websocket_, reading ? 1 : 0);
    }

    void get(const std::string& path) {
        drop_request();
        answer_ = HttpAnswer();
        lws_client_connect_info info = connect_info();
        const std::string whole = url_.path + path;
        info.path = whole.c_str();
        info.method = "GET";
        info.alpn = "http/1.1";
        info.protocol = info.local_protocol_name = "http";
        info.opaque_user_data = request_tag_ = new_tag();
        info.pwsi = &request_;
        if (lws_client_connect_via_info(&info) == nullptr && request_tag_ != nullptr) end_request({});
    }

    void drop_request() {
        request_tag_ = nullptr;
        drop(request_);
    }

    void turn(std::chrono::steady_clock::time_point until) {
        // libwebsockets' own timers under libev are late without.
        lws_cancel_service(context_);
        const double seconds = std::chrono::duration<double>(until - std::chrono::steady_clock::now()).count();
        if (seconds <= 0) {
            // What comes may ask for an answer, which goes out in the round behind it.
            for (int rounds = 0; rounds < 3; ++rounds) ev_run(loop_.get(), EVRUN_NOWAIT);
            return;
        }
        ev_now_update(loop_.get());
        ev_timer_set(&until_, seconds, 0.0);
        ev_timer_start(loop_.get(), &until_);
        ev_run(loop_.get(), EVRUN_ONCE);
        ev_timer_stop(loop_.get(), &until_);
    }

private:
    static constexpr unsigned kMostSockets = 32;

    static Implementation& of(lws* wsi) { return *static_cast<Implementation*>(lws_context_user(lws_get_context(wsi))); }

    // A connection is told from those before it, which may still be closing, by its tag.
    void* new_tag() noexcept { return reinterpret_cast<void*>(++last_tag_); }
    bool is_websocket(lws* wsi) const noexcept { return websocket_tag_ != nullptr && lws_get_opaque_user_data(wsi) == websocket_tag_; }
    bool is_request(lws* wsi) const noexcept { return request_tag_ != nullptr && lws_get_opaque_user_data(wsi) == request_tag_; }

    static void drop(lws*& wsi) {
        if (lws* const dropped = std::exchange(wsi, nullptr)) gateway::hang_up(dropped);
    }

    lws_client_connect_info connect_info() {
        lws_client_connect_info info{};
        info.context = context_;
        info.address = url_.host.c_str();
        info.port = url_.port;
        authority_ = url_.authority();
        info.host = authority_.c_str();
        info.ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT;
        return info;
    }

    // libwebsockets frees the connection by itself.
    void end_websocket(const Ending& ending) {
        websocket_tag_ = nullptr;
        websocket_ = nullptr;
        events_.ended(ending);
    }

    void end_request(HttpAnswer answer) {
        request_tag_ = nullptr;
        request_ = nullptr;
        events_.answered(std::move(answer));
    }

    int append_token(lws* wsi, void* in, std::size_t bytes) const {
        auto** const at = static_cast<unsigned char**>(in);
        if (authorization_.empty()) return 0;
        return lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_AUTHORIZATION,
                                            reinterpret_cast<const unsigned char*>(authorization_.data()),
                                            static_cast<int>(authorization_.size()), at, *at + bytes);
    }

    static int on_websocket(lws* wsi, lws_callback_reasons reason, void*, void* in, std::size_t bytes) {
        Implementation& self = of(wsi);
        const bool is_ours = self.is_websocket(wsi);
        switch (reason) {
        case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER: return self.append_token(wsi, in, bytes);
        case LWS_CALLBACK_CLIENT_ESTABLISHED:
            if (!is_ours) return -1;
            self.events_.opened();
            return 0;
        case LWS_CALLBACK_CLIENT_RECEIVE: return is_ours && self.receive(wsi, {static_cast<const std::byte*>(in), bytes}) ? 0 : -1;
        case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
            if (is_ours) self.events_.heard();
            return 0;
        case LWS_CALLBACK_CLIENT_WRITEABLE: return is_ours && self.write_next(wsi) ? 0 : -1;
        case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
            if (is_ours) self.end_websocket(closing(static_cast<const unsigned char*>(in), bytes));
            return 0;
        case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
            if (is_ours) self.end_websocket(failure(wsi, in, bytes));
            return 0;
        case LWS_CALLBACK_CLIENT_CLOSED:
            if (is_ours) self.end_websocket(ending_of_close(0, {}));
            return 0;
        default: return 0;
        }
    }

    static Ending closing(const unsigned char* in, std::size_t bytes) {
        constexpr std::uint16_t kNoCode = 1005;
        if (bytes < 2) return ending_of_close(kNoCode, {});
        return ending_of_close(static_cast<std::uint16_t>(in[0] << 8 | in[1]), {reinterpret_cast<const char*>(in) + 2, bytes - 2});
    }

    static Ending failure(lws* wsi, const void* in, std::size_t bytes) {
        const unsigned status = lws_http_client_http_response(wsi);
        if (status != 0 && status != 101) return ending_of_status(status, header_of(wsi, WSI_TOKEN_HTTP_RETRY_AFTER));
        return ending_of_failure(failure_in(in, bytes));
    }

    // False: hang up.
    bool receive(lws* wsi, std::span<const std::byte> bytes) {
        events_.heard();
        if (lws_frame_is_binary(wsi) == 0) return give_up(ending_of_failure("it said what is not of the protocol: a text"));
        if (incoming_ == nullptr) incoming_ = std::make_shared<MessageBytes>();
        // The same would come each time.
        if (incoming_->size() + bytes.size() > most_message_bytes_) {
            return give_up({EndingClass::never, "it sent a message of more than " + std::to_string(most_message_bytes_) + " bytes"});
        }
        incoming_->append(bytes);
        if (lws_is_final_fragment(wsi) == 0 || lws_remaining_packet_payload(wsi) > 0) return true;
        events_.message(std::exchange(incoming_, nullptr));
        return is_websocket(wsi);
    }

    bool give_up(const Ending& ending) {
        end_websocket(ending);
        return false;
    }

    bool write_next(lws* wsi) {
        if (outgoing_.empty()) return true;
        std::string message = std::move(outgoing_.front());
        outgoing_.pop_front();
        if (!gateway::write(wsi, message.data() + LWS_PRE, message.size() - LWS_PRE, LWS_WRITE_BINARY)) return false;
        if (!outgoing_.empty()) lws_callback_on_writable(wsi);
        return true;
    }

    static int on_http(lws* wsi, lws_callback_reasons reason, void*, void* in, std::size_t bytes) {
        Implementation& self = of(wsi);
        const bool is_ours = self.is_request(wsi);
        switch (reason) {
        case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER: return self.append_token(wsi, in, bytes);
        case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
            if (!is_ours) return -1;
            self.answer_.status = lws_http_client_http_response(wsi);
            return 0;
        case LWS_CALLBACK_RECEIVE_CLIENT_HTTP: {
            std::array<char, LWS_PRE + 16384> buffer;
            char* at = buffer.data() + LWS_PRE;
            int room = static_cast<int>(buffer.size() - LWS_PRE);
            return is_ours && lws_http_client_read(wsi, &at, &room) >= 0 ? 0 : -1;
        }
        case LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ:
            if (!is_ours || self.answer_.body.size() + bytes > kMostAnswerBytes) return -1;
            self.answer_.body.append(static_cast<const char*>(in), bytes);
            return 0;
        case LWS_CALLBACK_COMPLETED_CLIENT_HTTP:
            if (is_ours) self.end_request(std::move(self.answer_));
            return -1;
        case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
        case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
            if (is_ours) self.end_request({});
            return 0;
        default: return 0;
        }
    }

    const GatewayUrl url_;
    const std::string authorization_;
    const std::size_t most_message_bytes_;
    Events& events_;
    const std::unique_ptr<struct ev_loop, EndLoop> loop_;
    std::array<lws_protocols, 3> protocols_{};
    lws_context* context_ = nullptr;
    std::string authority_;
    ev_timer until_{};
    std::uintptr_t last_tag_ = 0;

    lws* websocket_ = nullptr;
    void* websocket_tag_ = nullptr;  // null: there is none
    std::shared_ptr<MessageBytes> incoming_;
    std::deque<std::string> outgoing_;

    lws* request_ = nullptr;
    void* request_tag_ = nullptr;
    HttpAnswer answer_;
};

Network::Network(GatewayUrl url, std::string token, std::size_t most_message_bytes, Events& events)
    : implementation_(std::make_unique<Implementation>(std::move(url), std::move(token), most_message_bytes, events)) {}
Network::~Network() = default;

void Network::connect() { implementation_->connect(); }
void Network::hang_up() { implementation_->hang_up(); }
void Network::send(std::string message) { implementation_->send(std::move(message)); }
void Network::read(bool reading) { implementation_->read(reading); }
void Network::get(const std::string& path) { implementation_->get(path); }
void Network::drop_request() { implementation_->drop_request(); }
void Network::turn(std::chrono::steady_clock::time_point until) { implementation_->turn(until); }

}  // namespace swarmbus::remote
