#include "ws_gateway/server/participants.hpp"

#include <swarmbus/error.hpp>

#include <array>
#include <numeric>
#include <string_view>

#include "src/clock/rfc3339.hpp"
#include "src/tool/text.hpp"

namespace swarmbus::gateway {
namespace {

void append(const swb_participant* participant, void* user) {
    constexpr std::array<const char*, 4> kStates = {"alive", "stopped", "lock lost", "dead"};
    std::string& out = *static_cast<std::string*>(user);
    out += out.ends_with('[') ? "{\"name\":" : ",{\"name\":";
    tool::append_json_string(out, participant->name);
    out += ",\"pid\":" + std::to_string(participant->pid) + ",\"state\":\"";
    out += participant->condition < kStates.size() ? kStates[participant->condition] : "unknown";
    out += "\",\"since\":\"" + core::utc_timestamp(participant->joined_ns) + "\",\"waiting\":" + std::to_string(participant->waiting);
    out +=
        ",\"lost\":" + std::to_string(std::accumulate(std::begin(participant->lost_by), std::end(participant->lost_by), std::uint64_t{0}));
    out += ",\"patterns\":";
    tool::append_json_string(out, participant->patterns);
    out += '}';
}

}  // namespace

const std::string& Participants::json(Clock::time_point now) {
    if (json_.empty() || now - looked_at_ >= std::chrono::seconds(1)) {
        std::string found = "{\"participants\":[";
        detail::check(swb_participants(bus_.c_str(), append, &found));
        json_ = found + "]}\n";
        looked_at_ = now;
    }
    return json_;
}

}  // namespace swarmbus::gateway
