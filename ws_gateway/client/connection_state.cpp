#include "ws_gateway/client/connection_state.hpp"

#include <algorithm>
#include <utility>

namespace swarmbus::remote {
namespace {

using std::chrono::milliseconds;

// Whatever a gateway says of its heartbeat.
constexpr milliseconds kShortestHeartbeat{100}, kLongestHeartbeat{600'000};
// Doubling ends long before, at the longest delay; keeps the shift within its type.
constexpr std::uint32_t kMostDoublings = 20;

std::string seconds_of(milliseconds time) {
    std::string text = std::to_string(time.count() / 1000);
    if (const auto tenths = time.count() % 1000 / 100; tenths != 0) text += "." + std::to_string(tenths);
    return text + " s";
}

}  // namespace

Timing Timing::divided_by(double times) const {
    Timing shorter = *this;
    for (milliseconds* time : {&shorter.first_delay, &shorter.longest_delay, &shorter.circuit_time, &shorter.connect_time,
                               &shorter.stable_time, &shorter.longest_asked}) {
        *time = milliseconds(static_cast<milliseconds::rep>(static_cast<double>(time->count()) / times));
    }
    return shorter;
}

ConnectionState::ConnectionState(const Timing& timing, Random random, Clock::time_point now)
    : timing_(timing), random_(std::move(random)), until_(now) {}

void ConnectionState::became_live(Clock::time_point now, milliseconds heartbeat) {
    if (phase_ != Phase::connecting) return;
    phase_ = Phase::live;
    live_since_ = heard_at_ = now;
    heartbeat = std::clamp(heartbeat, kShortestHeartbeat, kLongestHeartbeat);
    patience_ = heartbeat + std::max(heartbeat / 2, timing_.heartbeat_grace);
}

void ConnectionState::heard(Clock::time_point now) noexcept { heard_at_ = now; }

void ConnectionState::reads(bool reading, Clock::time_point now) noexcept {
    is_reading_ = reading;
    if (reading) heard_at_ = now;
}

void ConnectionState::bye(milliseconds retry_after) noexcept { asked_by_bye_ = retry_after; }

void ConnectionState::ended(Clock::time_point now, const Ending& ending) {
    if (phase_ != Phase::connecting && phase_ != Phase::live) return;
    reason_ = ending.reason;
    if (ending.kind == EndingClass::never) {
        phase_ = Phase::closed;
        return;
    }
    const bool was_live = phase_ == Phase::live;
    const bool was_stable = was_live && now - live_since_ >= timing_.stable_time;
    // A gateway that says goodbye is well, however short it was there.
    const bool was_orderly = was_live && asked_by_bye_;
    if (was_stable || was_orderly) failures_ = 0;
    if (ending.kind == EndingClass::back_off || !(was_stable || was_orderly)) ++failures_;

    const milliseconds asked = std::max(asked_by_bye_.value_or(milliseconds(0)), ending.retry_after.value_or(milliseconds(0)));
    const bool opens = failures_ >= timing_.circuit_failures;
    phase_ = opens ? Phase::open_circuit : Phase::waiting;
    until_ = now + std::max(opens ? timing_.circuit_time : jittered_delay(), std::min(asked, timing_.longest_asked));
}

void ConnectionState::stop(std::string reason) {
    if (phase_ == Phase::closed) return;
    phase_ = Phase::closed;
    reason_ = std::move(reason);
}

Action ConnectionState::tick(Clock::time_point now) {
    const auto due_at = due();
    if (!due_at || now < *due_at) return Action::none;
    switch (phase_) {
    case Phase::connecting:
        ended(now, ending_of_failure("it was not there within " + seconds_of(timing_.connect_time)));
        return Action::hang_up;
    case Phase::live: ended(now, {EndingClass::resume, "nothing was heard of it for " + seconds_of(patience_)}); return Action::hang_up;
    case Phase::waiting:
    case Phase::open_circuit: begin_attempt(now); return Action::connect;
    case Phase::closed: break;
    }
    return Action::none;
}

std::optional<Clock::time_point> ConnectionState::due() const noexcept {
    switch (phase_) {
    case Phase::live: return is_reading_ ? std::make_optional(heard_at_ + patience_) : std::nullopt;
    case Phase::closed: return std::nullopt;
    default: return until_;
    }
}

Status ConnectionState::status(Clock::time_point now) const {
    Status status{phase_, phase_ == Phase::connecting && is_trial_, milliseconds(0), failures_, reason_};
    if (phase_ == Phase::waiting || phase_ == Phase::open_circuit)
        status.left = std::max(milliseconds(0), std::chrono::ceil<milliseconds>(until_ - now));
    return status;
}

void ConnectionState::begin_attempt(Clock::time_point now) {
    is_trial_ = phase_ == Phase::open_circuit;
    phase_ = Phase::connecting;
    until_ = now + timing_.connect_time;
    is_reading_ = true;
    asked_by_bye_.reset();
}

// Full jitter: anything up to the longest, so that those who were cut off together do not come back together.
milliseconds ConnectionState::jittered_delay() {
    const std::uint32_t doublings = std::min(failures_ > 0 ? failures_ - 1 : 0, kMostDoublings);
    const milliseconds most = std::min(timing_.longest_delay, timing_.first_delay * (std::int64_t{1} << doublings));
    return milliseconds(static_cast<milliseconds::rep>(random_() * static_cast<double>(most.count())));
}

}  // namespace swarmbus::remote
