// Commands of the binary subprotocol.
#include <swarmbus/gateway_generated.h>

#include "ws_gateway/server/commands.hpp"

namespace swarmbus::gateway {
namespace {

// More than any command needs.
constexpr flatbuffers::uoffset_t kDeepest = 8, kMostTables = 16;

std::string text_of(const flatbuffers::String* text) {
    if (text == nullptr) return {};
    if (text->string_view().find('\0') != std::string_view::npos) throw CommandError("bad_message", "a text has a NUL");
    return text->str();
}

std::uint32_t limited(const char* name, std::uint32_t value, std::uint32_t most, CommandId id) {
    if (value > most) throw CommandError("bad_message", "'" + std::string(name) + "' is not from 0 to " + std::to_string(most), id);
    return value;
}

CommandId id_of(flatbuffers::Optional<std::int64_t> id) { return id ? CommandId(*id) : CommandId(); }

template <typename Texts>
Patterns patterns_of(const Texts* texts) {
    Patterns patterns;
    if (texts == nullptr) return patterns;
    for (const auto* text : *texts) patterns.push_back(text_of(text));
    return patterns;
}

SubscribeCommand subscribe_of(const wire::Subscribe& subscribe) {
    Subscription wanted;
    wanted.patterns = patterns_of(subscribe.patterns());
    if (subscribe.since() != nullptr) wanted.since = Cursor{subscribe.since()->epoch(), subscribe.since()->offset()};
    wanted.snapshot = subscribe.snapshot();
    const CommandId id = id_of(subscribe.id());
    if (const auto batch = subscribe.batch_ms()) wanted.batch = std::chrono::milliseconds(limited("batch_ms", *batch, kLongestBatchMs, id));
    if (const auto coalesce = subscribe.coalesce()) wanted.coalesce = *coalesce;
    if (const auto rate = subscribe.max_rate()) wanted.max_rate = limited("max_rate", *rate, kMostRate, id);
    return {id, wanted};
}

PublishCommand publish_of(const wire::Publish& publish) {
    PublishCommand command;
    command.id = id_of(publish.id());
    command.type = text_of(publish.type());
    command.source = text_of(publish.source());
    command.subject = text_of(publish.subject());
    if (publish.encoding() > wire::Encoding::MAX) throw CommandError("bad_message", "there is no such encoding", command.id);
    command.encoding = static_cast<std::uint32_t>(publish.encoding());
    if (publish.payload() != nullptr)
        command.payload.assign(reinterpret_cast<const char*>(publish.payload()->data()), publish.payload()->size());
    return command;
}

}  // namespace

Command command_from_frame(std::span<const std::byte> message) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(message.data());
    flatbuffers::Verifier verifier(bytes, message.size(), kDeepest, kMostTables);
    if (message.size() < 12 || !wire::VerifySizePrefixedFrameBuffer(verifier)) throw CommandError("bad_message", "the message is no frame");
    const wire::Frame& frame = *wire::GetSizePrefixedFrame(bytes);
    if (frame.control() == nullptr) throw CommandError("bad_message", "the frame has no command");
    switch (frame.control_type()) {
    case wire::Control::Auth: return AuthCommand{text_of(frame.control_as_Auth()->token())};
    case wire::Control::Subscribe: return subscribe_of(*frame.control_as_Subscribe());
    case wire::Control::Unsubscribe:
        return UnsubscribeCommand{id_of(frame.control_as_Unsubscribe()->id()), patterns_of(frame.control_as_Unsubscribe()->patterns())};
    case wire::Control::Publish: return publish_of(*frame.control_as_Publish());
    case wire::Control::Heartbeat: return HeartbeatCommand{};
    default: throw CommandError("bad_message", "the frame is none that a client sends");
    }
}

}  // namespace swarmbus::gateway
