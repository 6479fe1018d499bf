#include "ws_gateway/client/conversation.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "src/tool/text.hpp"

namespace swarmbus::remote {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using std::chrono::milliseconds;

constexpr std::uint32_t kProtocol = 1;
constexpr std::int64_t kSubscribeId = 1;
// What is published and not answered: more than anybody needs at a time.
constexpr std::size_t kMostUnanswered = 1024;
constexpr std::size_t kMostText = 300;

template <typename Table>
std::string message_of(FlatBufferBuilder& builder, Offset<Table> table) {
    wire::FrameBuilder frame(builder);
    frame.add_control(table.Union());
    frame.add_control_type(wire::ControlTraits<Table>::enum_value);
    builder.FinishSizePrefixed(frame.Finish());
    return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

FlatBufferBuilder new_builder() {
    FlatBufferBuilder builder;
    builder.Align(8);  // and so is the length of the whole
    return builder;
}

std::string heartbeat_message() {
    FlatBufferBuilder builder = new_builder();
    return message_of(builder, wire::CreateHeartbeat(builder));
}

const char* text_of(const flatbuffers::String* text) noexcept { return text == nullptr ? "" : text->c_str(); }

std::string shown(const flatbuffers::String* text) {
    return text == nullptr ? std::string() : tool::printable(text->string_view().substr(0, kMostText));
}

Ending not_understood(const char* what) { return ending_of_failure(std::string("it said what is not of the protocol: ") + what); }

// For two cursors of one run of the gateway.
bool is_behind(const std::optional<Cursor>& cursor, const Cursor& mark) noexcept {
    return cursor && cursor->epoch == mark.epoch && cursor->offset < mark.offset;
}

}  // namespace

const char* meaning_of(Reset::Reason reason) noexcept {
    switch (reason) {
    case Reset::Reason::epoch: return "the gateway was started anew";
    case Reset::Reason::expired: return "the gateway no longer has what was missed";
    case Reset::Reason::uncovered: return "the gateway did not follow these patterns all the time";
    case Reset::Reason::ahead: return "the gateway does not know that place";
    case Reset::Reason::none: break;
    }
    return "the gateway gave no reason";
}

Conversation::Conversation(std::vector<std::string> patterns, bool snapshot) : patterns_(std::move(patterns)), wants_snapshot_(snapshot) {}

void Conversation::opened() {
    is_greeted_ = is_subscribed_ = false;
    behind_.reset();
    resumed_ = snapshot_events_ = 0;
    to_send_.clear();
    // Something has to be said at once: a gateway that wants a token tells by its answer whether it has one. No round trip is lost:
    // the answer comes behind the greeting.
    if (patterns_.empty()) {
        to_send_.push_back(heartbeat_message());
    } else {
        say_subscribe();
    }
}

void Conversation::closed() {
    to_send_.clear();
    for (const std::int64_t id : unanswered_) queue_.push_back(PublishUnanswered{id});
    unanswered_.clear();
}

void Conversation::say_subscribe() {
    FlatBufferBuilder builder = new_builder();
    const auto patterns = builder.CreateVectorOfStrings(patterns_);
    wire::SubscribeBuilder subscribe(builder);
    subscribe.add_id(kSubscribeId);
    subscribe.add_patterns(patterns);
    const wire::Cursor since = cursor_ ? wire::Cursor(cursor_->epoch, cursor_->offset) : wire::Cursor();
    if (cursor_) subscribe.add_since(&since);
    subscribe.add_snapshot(wants_snapshot_);
    to_send_.push_back(message_of(builder, subscribe.Finish()));
}

std::int64_t Conversation::publish(const Publication& publication) {
    FlatBufferBuilder builder = new_builder();
    const std::int64_t id = next_id_;
    const auto type = builder.CreateString(publication.type);
    const auto source = builder.CreateString(publication.source);
    const auto subject = builder.CreateString(publication.subject);
    const auto payload =
        builder.CreateVector(reinterpret_cast<const std::uint8_t*>(publication.payload.data()), publication.payload.size());
    std::string message = message_of(
        builder, wire::CreatePublish(builder, id, type, payload, static_cast<wire::Encoding>(publication.encoding), subject, source));
    if (message.size() > most_message_bytes_) {
        throw std::length_error("a payload of " + std::to_string(publication.payload.size()) +
                                " bytes is more than the gateway takes; its messages have at most " + std::to_string(most_message_bytes_) +
                                " (--max-message-bytes)");
    }
    if (unanswered_.size() >= kMostUnanswered) throw std::length_error("too many events wait for the gateway's answer");
    unanswered_.insert(id);
    ++next_id_;
    to_send_.push_back(std::move(message));
    return id;
}

Conversation::Outcome Conversation::message(std::shared_ptr<const MessageBytes> bytes) {
    Outcome outcome;
    if (queue_.empty()) queued_bytes_ = 0;
    queued_bytes_ += bytes->size();
    Frames frames(bytes->bytes());
    while (const wire::Frame* const frame = frames.next()) {
        if (frame->stamp() != nullptr) {
            event(*frame, bytes, outcome);
        } else {
            control(*frame, outcome);
        }
        if (outcome.ending) return outcome;
    }
    if (!frames.is_at_end()) outcome.ending = not_understood("bytes that are no frames");
    snapshot_events_ = 0;
    look_whether_caught_up();
    return outcome;
}

void Conversation::event(const wire::Frame& frame, const std::shared_ptr<const MessageBytes>& bytes, Outcome& outcome) {
    if (!is_subscribed_ || (!cursor_ && snapshot_events_ == 0) || frame.type() == nullptr || frame.type()->size() == 0) {
        outcome.ending = not_understood("an event that was not asked for, or has no type");
        return;
    }
    const wire::Stamp& stamp = *frame.stamp();
    RemoteEvent received{};
    received.is_of_snapshot = snapshot_events_ > 0;
    received.offset = stamp.offset();
    if (received.is_of_snapshot) {
        --snapshot_events_;
    } else {
        if (stamp.offset() <= cursor_->offset) return;  // each once, whatever a gateway does
        cursor_->offset = stamp.offset();
        if (behind_ && stamp.offset() <= behind_->offset) ++resumed_;
    }
    received.omitted_bytes = frame.omitted_bytes();
    swb_event& event = received.event;
    event.size = sizeof event;
    event.type = frame.type()->c_str();
    event.source = text_of(frame.source());
    event.subject = text_of(frame.subject());
    event.sequence = stamp.sequence();
    event.time_ns = stamp.time_ns();
    event.writer = stamp.writer();
    const bool is_known = stamp.encoding() <= wire::Encoding::MAX;
    event.encoding = static_cast<std::uint32_t>(is_known ? stamp.encoding() : wire::Encoding::Bytes);
    if (frame.payload() != nullptr) {
        event.payload = frame.payload()->data();
        event.payload_bytes = frame.payload()->size();
    }
    received.bytes = bytes;
    // Those that were resumed are told to be complete in front of what is new.
    if (behind_ && stamp.offset() > behind_->offset) look_whether_caught_up();
    queue_.push_back(std::move(received));
}

void Conversation::control(const wire::Frame& frame, Outcome& outcome) {
    if (!is_greeted_ && frame.control_type() != wire::Control::Hello && frame.control_type() != wire::Control::Error) {
        outcome.ending = not_understood("something in front of its greeting");
        return;
    }
    if (frame.control() == nullptr) return;
    switch (frame.control_type()) {
    case wire::Control::Hello: hello(*frame.control_as_Hello(), outcome); break;
    case wire::Control::Subscribed: subscribed(*frame.control_as_Subscribed(), outcome); break;
    case wire::Control::Snapshot: {
        const wire::Snapshot& snapshot = *frame.control_as_Snapshot();
        snapshot_events_ = snapshot.events();
        // With its last part.
        if (snapshot.cursor() != nullptr) cursor_ = Cursor{snapshot.cursor()->epoch(), snapshot.cursor()->offset()};
        break;
    }
    case wire::Control::Gap: {
        const wire::Gap& told = *frame.control_as_Gap();
        Gap gap;
        gap.cause = static_cast<Gap::Cause>(std::min(told.cause(), wire::GapCause::MAX));
        gap.missed = told.missed();
        if (told.lost_by() != nullptr) {
            const std::size_t causes = std::min<std::size_t>(told.lost_by()->size(), gap.lost_by.size());
            // Verified, but for the alignment of its elements.
            for (std::size_t i = 0; i < causes; ++i) {
                std::memcpy(&gap.lost_by[i], told.lost_by()->Data() + i * sizeof gap.lost_by[i], sizeof gap.lost_by[i]);
                gap.lost_by[i] = flatbuffers::EndianScalar(gap.lost_by[i]);
            }
        }
        advance(told.cursor());
        queue_.push_back(gap);
        break;
    }
    case wire::Control::Published: {
        const wire::Published& told = *frame.control_as_Published();
        if (told.id() && unanswered_.erase(*told.id()) > 0)
            queue_.push_back(Published{*told.id(), told.sequence(), told.delivered(), told.dropped()});
        break;
    }
    case wire::Control::Error: error(*frame.control_as_Error(), outcome); break;
    case wire::Control::Bye: {
        const wire::Bye& bye = *frame.control_as_Bye();
        advance(bye.cursor());
        outcome.bye = milliseconds(bye.retry_after_ms());
        break;
    }
    case wire::Control::Heartbeat:
        advance(frame.control_as_Heartbeat()->cursor());
        // Not there yet: what is missing is on its way, and another answer comes behind it.
        if (behind_ && is_behind(cursor_, *behind_)) to_send_.push_back(heartbeat_message());
        break;
    default: break;  // later gateways may have more to say
    }
}

void Conversation::hello(const wire::Hello& hello, Outcome& outcome) {
    if (hello.protocol() != kProtocol) {
        outcome.ending = Ending{EndingClass::never, "it speaks version " + std::to_string(hello.protocol()) +
                                                        " of the protocol, and this is " + std::to_string(kProtocol)};
        return;
    }
    if (is_greeted_ || hello.cursor() == nullptr) {
        outcome.ending = not_understood("a second greeting, or one without cursor");
        return;
    }
    is_greeted_ = true;
    heartbeat_ = milliseconds(hello.heartbeat_ms());
    most_message_bytes_ = hello.message_bytes();
    journal_end_ = {hello.cursor()->epoch(), hello.cursor()->offset()};
    if (patterns_.empty()) outcome.live = heartbeat_;
}

void Conversation::subscribed(const wire::Subscribed& subscribed, Outcome& outcome) {
    if (patterns_.empty()) {
        outcome.ending = not_understood("an answer to what was not asked");
        return;
    }
    if (cursor_ && subscribed.resume() == wire::Resume::Recovered) {
        behind_ = journal_end_;
        // Asks where it is: the answer comes behind what was missed.
        to_send_.push_back(heartbeat_message());
    } else if (cursor_) {
        const bool is_known = subscribed.reason() <= wire::ResetReason::MAX;
        queue_.push_back(Reset{is_known ? static_cast<Reset::Reason>(subscribed.reason()) : Reset::Reason::none});
    }
    // Else a snapshot follows, and its last part has the cursor: until then this is asked for again if the connection is lost.
    if (subscribed.cursor() != nullptr) cursor_ = Cursor{subscribed.cursor()->epoch(), subscribed.cursor()->offset()};
    is_subscribed_ = true;
    outcome.live = heartbeat_;
}

void Conversation::error(const wire::Error& error, Outcome& outcome) {
    if (error.id() && unanswered_.erase(*error.id()) > 0) {
        queue_.push_back(PublishRefused{*error.id(), shown(error.code()), shown(error.message())});
    } else if (error.id() && *error.id() == kSubscribeId) {
        // The bus's troubles pass; what is wrong with the patterns does not.
        const bool passes = error.code() != nullptr && error.code()->string_view() == "bus";
        outcome.ending = Ending{passes ? EndingClass::back_off : EndingClass::never, "it refused to subscribe: " + shown(error.message())};
    }
    // Others come in front of a close, whose code and text say the same.
}

void Conversation::advance(const wire::Cursor* cursor) {
    if (cursor == nullptr || !cursor_ || cursor->epoch() != cursor_->epoch) return;
    cursor_->offset = std::max(cursor_->offset, cursor->offset());
}

void Conversation::look_whether_caught_up() {
    if (!behind_ || is_behind(cursor_, *behind_)) return;
    behind_.reset();
    queue_.push_back(CaughtUp{std::exchange(resumed_, 0)});
}

}  // namespace swarmbus::remote
