// What clients say, read from either form. Texts and bytes from anywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

#include "ws_gateway/delivery/hub.hpp"

namespace swarmbus::gateway {

using CommandId = std::optional<std::int64_t>;

// Of a subscription, in every form.
inline constexpr std::uint32_t kLongestBatchMs = 60'000, kMostRate = 1'000'000;

// What is no command, or one that can't be done: for the client to read.
class CommandError : public std::runtime_error {
public:
    CommandError(const char* code, const std::string& message, CommandId id = {}) : std::runtime_error(message), code_(code), id_(id) {}
    const char* code() const noexcept { return code_; }
    CommandId id() const noexcept { return id_; }

private:
    const char* code_;
    CommandId id_;
};

struct AuthCommand {
    std::string token;
};
struct SubscribeCommand {
    CommandId id;
    Subscription subscription;
};
struct UnsubscribeCommand {
    CommandId id;
    Patterns patterns;
};
struct PublishCommand {
    CommandId id;
    std::string type, source, subject;
    std::string payload;
    std::uint32_t encoding = 0;  // swb_encoding; SWB_JSON: by the schema of the type, if it has one
};
struct HeartbeatCommand {};

using Command = std::variant<AuthCommand, SubscribeCommand, UnsubscribeCommand, PublishCommand, HeartbeatCommand>;

// Throw CommandError.
Command command_from_json(std::string_view text);
Command command_from_frame(std::span<const std::byte> message);

// The body of POST /v1/events: an object or a list of them.
std::vector<PublishCommand> publications_from_json(std::string_view text);

// Throws CommandError with the position of what is wrong.
void check_patterns(const Patterns& patterns, std::size_t most, CommandId id);

}  // namespace swarmbus::gateway
