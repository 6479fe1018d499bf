// What a gateway says to its client, over several connections: taken in, or a reason to hang up. Frames as they come; the word
// "--next--" between them ends a message, "-closed-" a connection.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "tests/fuzz/expect.hpp"
#include "ws_gateway/client/conversation.hpp"

namespace {

using namespace swarmbus;

constexpr std::string_view kNext = "--next--", kClosed = "-closed-";

// Reads every byte, so that the sanitizer sees those that are not there.
void check(const remote::RemoteEvent& received) {
    const swb_event& event = received.event;
    std::size_t bytes = 0;
    for (const char* text : {event.type, event.source, event.subject}) bytes += std::strlen(text);
    const auto* const payload = static_cast<const unsigned char*>(event.payload);
    for (std::size_t i = 0; i < event.payload_bytes; ++i) bytes += payload[i];
    fuzzing::expect(bytes < ~std::size_t{0}, "an event can be read");
    fuzzing::expect(event.encoding <= SWB_FLEXBUFFERS, "encodings are known ones");
}

// False: hang up.
bool hear(remote::Conversation& conversation, std::string_view message) {
    auto bytes = std::make_shared<remote::MessageBytes>();
    bytes->append(std::as_bytes(std::span(message)));
    const bool goes_on = !conversation.message(std::move(bytes)).ending;
    conversation.to_send().clear();
    for (const remote::Received& received : conversation.queue()) {
        if (const auto* event = std::get_if<remote::RemoteEvent>(&received)) check(*event);
    }
    conversation.queue().clear();
    return goes_on;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    remote::Conversation conversation({"a.*", "agent.status.changed"}, true);
    conversation.opened();
    for (bool is_open = true; !rest.empty();) {
        const std::size_t next = rest.find(kNext), closed = rest.find(kClosed), end = std::min({next, closed, rest.size()});
        if (is_open) is_open = hear(conversation, rest.substr(0, end));
        rest.remove_prefix(std::min(end + kNext.size(), rest.size()));
        if (closed < next) {
            conversation.closed();
            conversation.opened();
            is_open = true;
        }
    }
    return 0;
}
