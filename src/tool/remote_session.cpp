#include "src/tool/remote_session.hpp"

#include <signal.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

#include "src/tool/exit_status.hpp"

namespace swarmbus::tool {
namespace {

using std::chrono::seconds;

// How long a reader of the output may be gone, or a signal be there, before it is noticed.
constexpr std::chrono::milliseconds kLook{200};
constexpr seconds kAnswerTime{10}, kAskAgain{1};

// How many times shorter all times are: for tests.
double pace_of_environment() {
    const char* const text = std::getenv("SWARMBUS_CLIENT_PACE");
    if (text == nullptr) return 1;
    const std::string_view view(text);
    double pace = 1;
    std::from_chars(view.data(), view.data() + view.size(), pace);
    return std::clamp(pace, 1.0, 1000.0);
}

remote::GatewayUrl url_of(const GatewayOption& option) {
    try {
        return remote::parse_gateway_url(option.url);
    } catch (const std::invalid_argument& e) {
        throw UsageError(std::string("--gateway: ") + e.what());
    }
}

std::string seconds_text(std::chrono::milliseconds time) { return std::to_string((time.count() + 999) / 1000) + " s"; }

}  // namespace

RemoteSession::RemoteSession(const GatewayOption& option, std::vector<std::string> patterns, const Output* output)
    : pace_(pace_of_environment()),
      url_(url_of(option).text()),
      output_(output),
      client_({.url = url_of(option),
               .token = token_of(option),
               .patterns = std::move(patterns),
               .timing = remote::Timing{}.divided_by(pace_),
               .on_state = [this](const remote::Status& status) { tell(status); }}) {}

void RemoteSession::turn(Clock::time_point until) {
    client_.turn(std::min(until, Clock::now() + kLook));
    check_interrupts();
    if (output_ != nullptr && output_->reader_has_gone()) throw Ended{SIGPIPE};
    if (client_.phase() == remote::Phase::closed) throw std::runtime_error(trouble());
}

std::optional<std::string> RemoteSession::fetch(const std::string& path, Clock::time_point end) {
    for (;;) {
        client_.ask(path);
        const Clock::time_point asked = Clock::now();
        std::optional<remote::HttpAnswer> answer;
        while (!(answer = client_.take_answer()) && Clock::now() < std::min(end, asked + paced(kAnswerTime)))
            turn(std::min(end, asked + paced(kAnswerTime)));
        if (answer && answer->status == 200) return std::move(answer->body);
        const bool is_final =
            answer && answer->status != 0 && remote::ending_of_status(answer->status, {}).kind == remote::EndingClass::never;
        if (is_final) return std::nullopt;
        const Clock::time_point again = Clock::now() + paced(kAskAgain);
        while (Clock::now() < std::min(end, again)) turn(std::min(end, again));
        if (Clock::now() >= end) throw TimeUp{};
    }
}

void RemoteSession::tell(const remote::Status& status) {
    switch (status.phase) {
    case remote::Phase::waiting:
        if (!is_lost_)
            complain((was_live_ ? "connection to " : "no connection to ") + url_ + (was_live_ ? " lost: " : ": ") + status.reason +
                     "; trying again");
        is_lost_ = true;
        break;
    case remote::Phase::open_circuit:
        if (!is_circuit_told_) {
            complain("no connection to " + url_ + ": " + std::to_string(status.failures) + " attempts failed, the last: " + status.reason +
                     "; the next is in " + seconds_text(status.left));
        }
        is_lost_ = is_circuit_told_ = true;
        break;
    case remote::Phase::live:
        // Where there is something to resume, what became of that is told with it.
        if (!was_live_ || client_.cursor() == std::nullopt) tell_back("");
        was_live_ = true;
        break;
    case remote::Phase::connecting:
    case remote::Phase::closed: break;
    }
}

void RemoteSession::tell_back(const std::string& how) {
    if (is_lost_) complain("connection to " + url_ + " is " + (was_live_ ? "back" : "there") + how);
    is_lost_ = is_circuit_told_ = false;
}

std::chrono::nanoseconds RemoteSession::paced(std::chrono::nanoseconds time) const {
    return std::chrono::nanoseconds(static_cast<std::chrono::nanoseconds::rep>(static_cast<double>(time.count()) / pace_));
}

std::string RemoteSession::trouble() const {
    const std::string reason = client_.status().reason;
    return url_ + ": " + (reason.empty() ? "no connection yet" : reason);
}

}  // namespace swarmbus::tool
