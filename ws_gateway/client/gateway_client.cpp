#include "ws_gateway/client/gateway_client.hpp"

#include <algorithm>
#include <memory>
#include <random>
#include <stdexcept>

namespace swarmbus::remote {
namespace {

ConnectionState::Random random_source() {
    return [engine = std::make_shared<std::minstd_rand>(std::random_device()())] {
        return std::uniform_real_distribution<double>(0.0, 1.0)(*engine);
    };
}

}  // namespace

GatewayClient::GatewayClient(ClientOptions options)
    : options_(std::move(options)),
      state_(options_.timing, random_source(), Clock::now()),
      conversation_(options_.patterns, options_.snapshot),
      network_(options_.url, options_.token, options_.most_message_bytes, *this) {}

void GatewayClient::turn(Clock::time_point until) {
    // What has come is read before silence is judged: this process may have been stopped for long.
    network_.turn(std::min(until, state_.due().value_or(until)));
    switch (state_.tick(Clock::now())) {
    case Action::connect:
        tell_state();
        is_reading_ = true;
        network_.connect();
        break;
    case Action::hang_up:
        network_.hang_up();
        conversation_.closed();
        break;
    case Action::none: break;
    }
    tell_state();
}

std::optional<Received> GatewayClient::next() {
    std::deque<Received>& queue = conversation_.queue();
    if (queue.empty()) return std::nullopt;
    Received received = std::move(queue.front());
    queue.pop_front();
    if (queue.empty() && !is_reading_) {
        is_reading_ = true;
        state_.reads(true, Clock::now());
        network_.read(true);
    }
    return received;
}

std::int64_t GatewayClient::publish(const Publication& publication) {
    if (phase() != Phase::live) throw std::logic_error("there is no connection to publish by");
    const std::int64_t id = conversation_.publish(publication);
    send_what_is_to_say();
    return id;
}

void GatewayClient::ask(const std::string& path) {
    answer_.reset();
    network_.get(path);
}

std::optional<HttpAnswer> GatewayClient::take_answer() { return std::exchange(answer_, std::nullopt); }

// ---------------------------------------------------------------- from the network

void GatewayClient::opened() {
    conversation_.opened();
    send_what_is_to_say();
}

void GatewayClient::heard() { state_.heard(Clock::now()); }

void GatewayClient::message(std::shared_ptr<const MessageBytes> message) {
    const Conversation::Outcome outcome = conversation_.message(std::move(message));
    if (outcome.bye) state_.bye(*outcome.bye);
    if (outcome.live) state_.became_live(Clock::now(), *outcome.live);
    if (outcome.ending) {
        network_.hang_up();
        return ended(*outcome.ending);
    }
    send_what_is_to_say();
    if (is_reading_ && conversation_.queued_bytes() >= options_.most_queued_bytes) {
        is_reading_ = false;
        state_.reads(false, Clock::now());
        network_.read(false);
    }
    tell_state();
}

void GatewayClient::ended(const Ending& ending) {
    state_.ended(Clock::now(), ending);
    conversation_.closed();
    tell_state();
}

void GatewayClient::answered(HttpAnswer answer) { answer_ = std::move(answer); }

void GatewayClient::send_what_is_to_say() {
    std::deque<std::string>& messages = conversation_.to_send();
    for (; !messages.empty(); messages.pop_front()) network_.send(std::move(messages.front()));
}

void GatewayClient::tell_state() {
    if (state_.phase() == told_) return;
    told_ = state_.phase();
    if (options_.on_state) options_.on_state(status());
}

}  // namespace swarmbus::remote
