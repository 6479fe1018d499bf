#include "ws_gateway/server/gateway.hpp"

#include <algorithm>
#include <utility>

#include "ws_gateway/observe/log.hpp"

namespace swarmbus::gateway {
namespace {

// Of the bus's events, in one turn: then clients have theirs.
constexpr std::size_t kEventsATurn = 1024;
constexpr std::size_t kMessageBytes = std::size_t{64} << 10;
constexpr std::uint32_t kInboxSlots = 65'536;
constexpr std::chrono::seconds kLongestTrouble(3);  // of the bus, before clients are told

}  // namespace

Options Gateway::bus_options(const GatewayOptions& options) {
    Options bus;
    bus.source = "swarmbus-gateway";
    bus.capacity_slots = kInboxSlots;
    bus.reattach = true;
    bus.block_timeout = std::chrono::nanoseconds(0);  // nobody waits for one client's event to find room
    bus.verify = true;
    if (options.no_create) bus.open_mode = SWB_OPEN_ONLY;
    return bus;
}

Gateway::Gateway(const GatewayOptions& options)
    : options_(options),
      bus_(options.bus, bus_options(options)),
      json_events_([this](const swb_event& event, std::string& out) { return payload_to_json(event, out); }),
      sse_events_(random_epoch(), [this](const swb_event& event, std::string& out) { return payload_to_json(event, out); }),
      journal_(sse_events_.epoch(), options.journal_bytes, encoders_),
      latest_(journal_, options.state_bytes),
      feed_(bus_, journal_, {options.linger, options.max_event_bytes}),
      metrics_(journal_, latest_, [this](const std::string& type) { return has_schema(type); }),
      hub_(journal_, latest_, feed_, encoders_, kMessageBytes, metrics_) {
    for (const std::string& pattern : options.follow) feed_.follow_always(pattern);
}

MessageForm& Gateway::form(Format format) noexcept {
    switch (format) {
    case Format::sse: return sse_messages_;
    case Format::flat: return flat_messages_;
    default: return json_messages_;
    }
}

bool Gateway::payload_to_json(const swb_event& event, std::string& out) {
    try {
        out += bus_.to_json(Event(event));
        return true;
    } catch (const Error&) {
        return false;
    }
}

bool Gateway::has_schema(const std::string& type) {
    try {
        return bus_.has_type(type);
    } catch (const Error&) {
        return false;
    }
}

void Gateway::note_bus_trouble(const Error& error) {
    if (bus_trouble_.empty()) {
        bus_trouble_since_ = Clock::now();
        log_error("bus", error.what(), {{"bus", options_.bus}});
    }
    bus_trouble_ = error.what();
}

void Gateway::note_bus_is_well() {
    if (bus_trouble_.empty()) return;
    log_info("bus", "is well again", {{"bus", options_.bus}});
    bus_trouble_.clear();
}

bool Gateway::is_bus_gone(Clock::time_point now) const noexcept {
    return !bus_trouble_.empty() && now - bus_trouble_since_ >= kLongestTrouble;
}

std::optional<Cursor> Gateway::cursor_of(const Client& client) const {
    if (client.snapshot) return std::nullopt;
    return journal_.cursor_at(client.filter ? client.place.offset : journal_.last());
}

std::optional<int> Gateway::descriptor() {
    if (!feed_.is_subscribed()) return std::nullopt;
    try {
        return feed_.descriptor();
    } catch (const Error& e) {
        note_bus_trouble(e);
        return std::nullopt;
    }
}

Gateway::Turn Gateway::turn(Clock::time_point now) {
    std::size_t taken = 0;
    try {
        if (feed_.is_subscribed()) taken = feed_.take(kEventsATurn);
        note_bus_is_well();
    } catch (const Error& e) {
        note_bus_trouble(e);
    }
    hub_.pump(now);
    return {.bus_has_more = taken >= kEventsATurn, .may_rest = taken > 0 && !hub_.is_anyone_eager()};
}

void Gateway::tick(Clock::time_point now) {
    try {
        feed_.expire(now);
    } catch (const Error& e) {
        note_bus_trouble(e);
    }
}

SubscribedMessage Gateway::subscribe(Client& client, const SubscribeCommand& command, Clock::time_point now) {
    const Subscription& wanted = command.subscription;
    Patterns all = client.filter ? client.filter->patterns() : Patterns();
    for (const std::string& pattern : wanted.patterns) {
        if (std::ranges::find(all, pattern) == all.end()) all.push_back(pattern);
    }
    check_patterns(all, options_.max_patterns, command.id);
    if (!bus_trouble_.empty()) throw CommandError("bus", bus_trouble_, command.id);
    if (!client.filter && wanted.patterns.empty()) throw CommandError("bad_message", "no pattern is given", command.id);
    for (const auto& [is_there, name] : {std::pair(wanted.since.has_value(), "since"), std::pair(wanted.snapshot, "snapshot")}) {
        if (client.filter && is_there) {
            throw CommandError("bad_message", "'" + std::string(name) + "' goes with the first patterns of a client", command.id);
        }
    }
    try {
        SubscribedMessage answer = hub_.subscribe(client, wanted, now);
        answer.id = command.id;
        return answer;
    } catch (const Error& e) {
        const char* code = e.code() == SWB_ERR_PATTERN ? "bad_pattern" : e.code() == SWB_ERR_PATTERNS_FULL ? "too_many_patterns" : "bus";
        throw CommandError(code, e.what(), command.id);
    }
}

PublishedMessage Gateway::publish(const PublishCommand& command) {
    if (!options_.allow_publish) {
        throw CommandError("not_allowed", "this gateway does not let clients publish (--allow-publish)", command.id);
    }
    Message message;
    message.source = command.source.empty() ? nullptr : command.source.c_str();
    message.subject = command.subject.empty() ? nullptr : command.subject.c_str();
    try {
        message.payload = as_payload(command.payload);
        message.encoding = static_cast<Encoding>(command.encoding);
        const Delivery delivery =
            command.encoding == SWB_JSON ? bus_.publish_json(command.type, command.payload, message) : bus_.publish(command.type, message);
        metrics_.published(false);
        return {command.id, delivery.sequence, delivery.delivered, delivery.dropped};
    } catch (const Error& e) {
        metrics_.published(true);
        const char* code = e.code() == SWB_ERR_PAYLOAD ? "bad_payload" : e.code() == SWB_ERR_TYPE_NAME ? "bad_type" : "bus";
        throw CommandError(code, e.what(), command.id);
    }
}

void Gateway::note_refused(const CommandError& error) {
    const std::string_view code = error.code();
    if (code == "bad_pattern" || code == "too_many_patterns") {
        metrics_.refused(Refusal::pattern);
    } else if (code == "not_allowed") {
        metrics_.refused(Refusal::publish);
    } else if (code != "bus" && code != "bad_payload" && code != "bad_type") {  // those are told as errors of publishing
        metrics_.refused(Refusal::message);
    }
}

HelloMessage Gateway::hello() const {
    HelloMessage hello;
    hello.server = "swarmbus-gateway " SWARMBUS_VERSION;
    hello.bus = options_.bus;
    hello.cursor = journal_.cursor_at(journal_.last());
    hello.heartbeat_ms = static_cast<std::uint32_t>(options_.heartbeat.count());
    hello.message_bytes = options_.max_message_bytes;
    hello.patterns = options_.max_patterns;
    hello.publish = options_.allow_publish;
    return hello;
}

}  // namespace swarmbus::gateway
