#include "ws_gateway/delivery/hub.hpp"

#include <algorithm>

namespace swarmbus::gateway {
namespace {

// In one go, before others have their turn.
constexpr int kMessagesATurn = 4;

}  // namespace

// ---------------------------------------------------------------- who wants what

SubscribedMessage Hub::subscribe(Client& client, const Subscription& wanted, Clock::time_point now) {
    Patterns patterns = client.filter != nullptr ? client.filter->patterns() : Patterns();
    Patterns added;
    for (const std::string& pattern : wanted.patterns) {
        if (std::ranges::find(patterns, pattern) != patterns.end()) continue;
        patterns.push_back(pattern);
        added.push_back(pattern);
    }
    const bool is_first = client.filter == nullptr;
    // What the answer to `since` is depends on what was followed before this client came.
    const ResetReason reset = is_first && wanted.since ? find_reset(patterns, *wanted.since) : ResetReason::none;
    for (std::size_t i = 0; i < added.size(); ++i) {
        try {
            feed_.follow(added[i]);
        } catch (...) {
            while (i-- > 0) feed_.leave(added[i], now);
            throw;
        }
    }
    if (wanted.batch) client.batch = *wanted.batch;
    if (wanted.coalesce) client.coalesce = *wanted.coalesce;
    if (wanted.max_rate) client.bucket = TokenBucket(*wanted.max_rate, now);
    if (is_first) {
        const bool recovers = wanted.since && reset == ResetReason::none;
        client.place.offset = recovers ? wanted.since->offset : journal_.last();
        set_filter(client, std::move(patterns));
        if (!recovers && (wanted.snapshot || wanted.since)) {
            client.snapshot = latest_.walk();
            client.snapshot_is_complete = is_complete(*client.filter);
        }
        arm(client);
    } else {
        set_filter(client, std::move(patterns));
    }
    SubscribedMessage message = answer(client);
    message.reason = reset;
    if (client.snapshot) message.cursor.reset();  // whoever loses the connection before all of it has come begins anew
    message.resume = !is_first || !wanted.since ? Resume::live : reset == ResetReason::none ? Resume::recovered : Resume::reset;
    return message;
}

SubscribedMessage Hub::unsubscribe(Client& client, const Patterns& patterns, Clock::time_point now) {
    if (client.filter == nullptr) return answer(client);
    Patterns left;
    for (const std::string& pattern : client.filter->patterns()) {
        if (std::ranges::find(patterns, pattern) == patterns.end()) {
            left.push_back(pattern);
        } else {
            feed_.leave(pattern, now);
        }
    }
    set_filter(client, std::move(left));
    return answer(client);
}

void Hub::forget(Client& client, Clock::time_point now) {
    disarm(client);
    stop_waiting(client);
    if (client.filter == nullptr) return;
    for (const std::string& pattern : client.filter->patterns()) feed_.leave(pattern, now);
    client.filter.reset();
}

void Hub::set_filter(Client& client, Patterns patterns) {
    const std::shared_ptr<const Filter> before = std::exchange(client.filter, filters_.with(std::move(patterns)));
    if (before != nullptr && client.place.offset + 1 < journal_.first()) {
        // It fell behind by so many of its patterns, and is about to be told.
        client.place.passed = client.filter->evicted() - (before->evicted() - client.place.passed);
    } else {
        client.place = place_at(journal_, *client.filter, client.place.offset);
    }
    client.flushed_bytes = client.filter->bytes();
}

ResetReason Hub::find_reset(const Patterns& patterns, Cursor since) const {
    if (since.epoch != journal_.epoch()) return ResetReason::epoch;
    if (since.offset > journal_.last()) return ResetReason::ahead;
    if (since.offset + 1 < journal_.first()) return ResetReason::expired;
    for (const std::string& pattern : patterns) {
        const auto followed = feed_.followed_since(pattern);
        if (!followed || *followed > since.offset) return ResetReason::uncovered;
    }
    return ResetReason::none;
}

SubscribedMessage Hub::answer(const Client& client) const {
    SubscribedMessage message;
    if (client.filter != nullptr) message.patterns = client.filter->patterns();
    message.cursor = journal_.cursor_at(client.filter != nullptr ? client.place.offset : journal_.last());
    return message;
}

bool Hub::is_complete(const Filter& filter) const {
    if (!latest_.is_complete()) return false;
    return std::ranges::all_of(filter.patterns(), [&](const std::string& pattern) { return feed_.is_followed_always(pattern); });
}

// ---------------------------------------------------------------- when

void Hub::arm(Client& client) {
    if (client.armed_at != Client::kNotArmed) return;
    client.armed_at = armed_.size();
    armed_.push_back(&client);
    is_anyone_eager_ = true;
}

void Hub::disarm(Client& client) noexcept {
    if (client.armed_at == Client::kNotArmed) return;
    armed_[client.armed_at] = armed_.back();
    armed_[client.armed_at]->armed_at = client.armed_at;
    armed_.pop_back();
    client.armed_at = Client::kNotArmed;
}

void Hub::wait_until(Client& client, Clock::time_point due) {
    stop_waiting(client);
    client.due = due;
    client.waits = true;
    waiting_.emplace(due, &client);
}

void Hub::stop_waiting(Client& client) noexcept {
    if (client.waits) waiting_.erase({client.due, &client});
    client.waits = false;
}

std::optional<Clock::time_point> Hub::next_due() const {
    return waiting_.empty() ? std::nullopt : std::make_optional(waiting_.begin()->first);
}

void Hub::pump(Clock::time_point now) {
    has_more_ = false;
    while (!waiting_.empty() && waiting_.begin()->first <= now) {
        Client& client = *waiting_.begin()->second;
        stop_waiting(client);
        arm(client);
    }
    is_anyone_eager_ = false;
    for (std::size_t i = 0; i < armed_.size();) {
        Client* const client = armed_[i];
        deliver(*client, now);
        if (i >= armed_.size() || armed_[i] != client) continue;  // another one took its place
        is_anyone_eager_ |= !client->waits;
        ++i;
    }
}

void Hub::writable(Client& client, Clock::time_point now) {
    if (client.filter == nullptr || client.waits) return;
    arm(client);
    deliver(client, now);
}

void Hub::flush(Clock::time_point now) {
    for (const auto& [due, client] : std::exchange(waiting_, {})) {
        client->waits = false;
        client->due = now;
        arm(*client);
    }
    pump(now);
}

// Gathers until a time, or until there is a message full; then everything that was there at that moment goes out.
bool Hub::is_due(Client& client, Clock::time_point now) {
    if (client.flush_up_to > client.place.offset) return true;
    if (now < client.due && (client.coalesce || client.filter->bytes() - client.flushed_bytes < message_bytes_)) return false;
    client.flush_up_to = journal_.last();
    client.flushed_bytes = client.filter->bytes();
    stop_waiting(client);  // it is found by `due`
    client.due = now + client.batch;
    return true;
}

// ---------------------------------------------------------------- what

// Leaves the client armed when it waits for events, waiting when it waits for a time, and neither when it waits for its socket.
void Hub::deliver(Client& client, Clock::time_point now) {
    for (int messages = 0; messages < kMessagesATurn; ++messages) {
        if (!client.transport.is_writable(client)) return disarm(client);
        if (!deliver_one(client, now) || has_all(client)) return;
    }
    has_more_ = true;
}

bool Hub::has_all(const Client& client) const noexcept {
    return !client.snapshot && client.filter->last() <= client.place.offset && client.place.offset + 1 >= journal_.first();
}

// False if there is nothing to send now.
bool Hub::deliver_one(Client& client, Clock::time_point now) {
    if (client.snapshot) {
        send_snapshot_part(client, now);
        return true;
    }
    if (has_all(client)) {
        client.place.offset = journal_.last();
        return false;
    }
    if (!is_due(client, now)) {
        // Looked at again when so much has come that a message may be full.
        if (client.coalesce) disarm(client);
        if (!client.waits) wait_until(client, client.due);
        return false;
    }
    std::uint32_t events = client.message_events;
    if (client.bucket.is_limited()) {
        events = std::min(events, client.bucket.available(now));
        if (events == 0) {
            disarm(client);
            wait_until(client, client.bucket.next());
            return false;
        }
    }
    const Shared& shared = message_for(client, events);
    client.place = {shared.to, shared.passed};
    if (shared.kind == Batch::Kind::none) return !has_all(client);
    if (shared.kind == Batch::Kind::events) {
        if (client.bucket.is_limited()) client.bucket.take(static_cast<std::uint32_t>(shared.events));
        listener_.delivered(client, shared.events, shared.message.size(), shared.oldest_ns);
        if (shared.coalesced > 0) listener_.coalesced(shared.coalesced);
    } else if (shared.kind == Batch::Kind::missed) {
        listener_.missed(client, shared.events);
    }
    send(client, const_cast<OutgoingMessage&>(shared.message), now);
    return true;
}

const Hub::Shared& Hub::message_for(Client& client, std::uint32_t events) {
    // Who is limited, or fell behind, gets what nobody else gets.
    const bool alone = client.bucket.is_limited() || client.place.offset + 1 < journal_.first();
    if (!alone) {
        for (const Shared& shared : shared_) {
            if (shared.filter == client.filter && shared.form == &client.form && shared.from == client.place.offset &&
                shared.last == journal_.last() && shared.coalesce == client.coalesce && shared.most == events) {
                return shared;
            }
        }
    }
    Shared& shared = shared_[next_shared_++ % shared_.size()];
    build(shared, client, events);
    if (alone) shared.filter.reset();
    return shared;
}

void Hub::build(Shared& shared, Client& client, std::uint32_t events) {
    shared.filter = client.filter;
    shared.form = &client.form;
    shared.from = client.place.offset;
    shared.last = journal_.last();
    shared.coalesce = client.coalesce;
    shared.most = events;
    Place place = client.place;
    const Batch& batch = batcher_.next(*client.filter, place, client.form.format(), {message_bytes_, events, client.coalesce});
    shared.kind = batch.kind;
    shared.events = batch.events;
    shared.coalesced = batch.coalesced;
    shared.oldest_ns = batch.oldest_ns;
    shared.to = place.offset;
    shared.passed = place.passed;
    shared.message.clear();
    const Cursor cursor = journal_.cursor_at(place.offset);
    switch (batch.kind) {
    case Batch::Kind::none: break;
    case Batch::Kind::events: client.form.events(shared.message.bytes(), batch, cursor); break;
    case Batch::Kind::missed: client.form.gap(shared.message.bytes(), {cursor, batch.events, nullptr}); break;
    case Batch::Kind::lost: client.form.gap(shared.message.bytes(), {cursor, batch.loss.events(), &batch.loss}); break;
    }
}

bool Hub::snapshot_part(Latest::Walk& walk, const Filter& filter, Format format, std::vector<std::string>& events) {
    EventEncoder& encoder = *encoders_[static_cast<std::size_t>(format)];
    std::size_t bytes = 0;
    Record record;
    while (bytes < message_bytes_) {
        if (!latest_.next(
                walk, [&](TypeId type) { return filter.matches(type); }, record))
            return false;
        encoder.encode(record, events.emplace_back());
        bytes += events.back().size();
    }
    return true;
}

void Hub::send_snapshot_part(Client& client, Clock::time_point now) {
    // Server-Sent Events give a snapshot as JSON, too.
    const Format format = client.form.format() == Format::flat ? Format::flat : Format::json;
    std::vector<std::string> events;
    SnapshotMessage message;
    message.more = snapshot_part(*client.snapshot, *client.filter, format, events);
    message.events.assign(events.begin(), events.end());
    message.complete = client.snapshot_is_complete;
    if (!message.more) {
        message.cursor = journal_.cursor_at(client.place.offset);
        client.snapshot.reset();
    }
    outgoing_.clear();
    client.form.snapshot(outgoing_.bytes(), message);
    send(client, outgoing_, now);
}

void Hub::send(Client& client, OutgoingMessage& message, Clock::time_point now) {
    client.spoken_at = now;
    client.transport.send(client, message);
}

}  // namespace swarmbus::gateway
