#include "ws_gateway/messages/flat_messages.hpp"

#include <swarmbus/gateway_generated.h>

namespace swarmbus::gateway {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using flatbuffers::String;

void begin(FlatBufferBuilder& builder) {
    builder.Clear();
    builder.Align(8);  // and so is the length of the whole
}

void append_frame(std::string& out, FlatBufferBuilder& builder, Offset<wire::Frame> frame) {
    builder.FinishSizePrefixed(frame);
    out.append(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
}

template <typename Table>
void append_control(std::string& out, FlatBufferBuilder& builder, Offset<Table> table) {
    wire::FrameBuilder frame(builder);
    frame.add_control(table.Union());
    frame.add_control_type(wire::ControlTraits<Table>::enum_value);
    append_frame(out, builder, frame.Finish());
}

Offset<String> text(FlatBufferBuilder& builder, std::string_view value) {
    return value.empty() ? Offset<String>() : builder.CreateString(value.data(), value.size());
}

wire::Cursor flat(Cursor cursor) { return {cursor.epoch, cursor.offset}; }

// As a table takes it: null if it is not there.
class FlatCursor {
public:
    explicit FlatCursor(const std::optional<Cursor>& cursor) : is_there_(cursor.has_value()), cursor_(flat(cursor.value_or(Cursor{}))) {}
    const wire::Cursor* get() const noexcept { return is_there_ ? &cursor_ : nullptr; }

private:
    const bool is_there_;
    const wire::Cursor cursor_;
};

flatbuffers::Optional<std::int64_t> flat(const std::optional<std::int64_t>& id) {
    return id ? flatbuffers::Optional<std::int64_t>(*id) : flatbuffers::nullopt;
}

}  // namespace

void FlatEvents::encode(const Record& record, std::string& out) {
    begin(builder_);
    const auto type = builder_.CreateSharedString(record.type_name.data(), record.type_name.size());
    const auto source = text(builder_, record.source);
    const auto subject = text(builder_, record.subject);
    Offset<flatbuffers::Vector<std::uint8_t>> payload;
    if (!record.payload.empty()) {
        builder_.ForceVectorAlignment(record.payload.size(), 1, 8);
        payload = builder_.CreateVector(reinterpret_cast<const std::uint8_t*>(record.payload.data()), record.payload.size());
    }
    const wire::Stamp stamp(record.offset, record.time_ns, record.sequence, record.writer, static_cast<wire::Encoding>(record.encoding));
    wire::FrameBuilder frame(builder_);
    frame.add_stamp(&stamp);
    frame.add_type(type);
    frame.add_source(source);
    frame.add_subject(subject);
    frame.add_payload(payload);
    frame.add_omitted_bytes(record.omitted_bytes);
    append_frame(out, builder_, frame.Finish());
}

void FlatMessages::hello(std::string& out, const HelloMessage& message) {
    begin(builder_);
    const wire::Cursor cursor = flat(message.cursor);
    append_control(out, builder_,
                   wire::CreateHello(builder_, 1, text(builder_, message.server), text(builder_, message.bus), &cursor,
                                     message.heartbeat_ms, message.publish, message.message_bytes, message.patterns));
}

void FlatMessages::subscribed(std::string& out, const SubscribedMessage& message) {
    begin(builder_);
    const FlatCursor cursor(message.cursor);
    append_control(
        out, builder_,
        wire::CreateSubscribed(builder_, flat(message.id), builder_.CreateVectorOfStrings(message.patterns),
                               static_cast<wire::Resume>(message.resume), static_cast<wire::ResetReason>(message.reason), cursor.get()));
}

void FlatMessages::snapshot(std::string& out, const SnapshotMessage& message) {
    begin(builder_);
    const FlatCursor cursor(message.cursor);
    append_control(
        out, builder_,
        wire::CreateSnapshot(builder_, static_cast<std::uint32_t>(message.events.size()), message.complete, message.more, cursor.get()));
    for (const std::string_view event : message.events) out += event;
}

void FlatMessages::events(std::string& out, const Batch& batch, Cursor) {
    for (const std::string_view piece : batch.pieces) out += piece;  // each has its offset
}

void FlatMessages::gap(std::string& out, const GapMessage& message) {
    begin(builder_);
    const wire::Cursor cursor = flat(message.cursor);
    const auto lost_by = message.loss != nullptr ? builder_.CreateVector(message.loss->by_cause.data(), message.loss->by_cause.size())
                                                 : Offset<flatbuffers::Vector<std::uint64_t>>();
    const wire::GapCause cause = message.loss == nullptr    ? wire::GapCause::Slow
                                 : message.loss->reattached ? wire::GapCause::BusReopened
                                                            : wire::GapCause::Bus;
    append_control(out, builder_, wire::CreateGap(builder_, &cursor, message.missed, cause, lost_by));
}

void FlatMessages::published(std::string& out, const PublishedMessage& message) {
    begin(builder_);
    append_control(out, builder_, wire::CreatePublished(builder_, flat(message.id), message.sequence, message.delivered, message.dropped));
}

void FlatMessages::heartbeat(std::string& out, std::optional<Cursor> cursor) {
    begin(builder_);
    append_control(out, builder_, wire::CreateHeartbeat(builder_, FlatCursor(cursor).get()));
}

void FlatMessages::error(std::string& out, const ErrorMessage& message) {
    begin(builder_);
    append_control(out, builder_,
                   wire::CreateError(builder_, flat(message.id), text(builder_, message.code), text(builder_, message.message)));
}

void FlatMessages::bye(std::string& out, const ByeMessage& message) {
    begin(builder_);
    const FlatCursor cursor(message.cursor);
    append_control(out, builder_, wire::CreateBye(builder_, text(builder_, message.reason), message.retry_after_ms, cursor.get()));
}

}  // namespace swarmbus::gateway
