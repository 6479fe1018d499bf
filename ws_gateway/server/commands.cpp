#include "ws_gateway/server/commands.hpp"

#include <swarmbus.h>

#include <algorithm>

#include "src/error.hpp"
#include "src/types/json_document.hpp"

namespace swarmbus::gateway {
namespace {

using core::JsonValue;

constexpr std::uint32_t kLongestBatchMs = 60'000;

std::string_view text_in(const JsonValue& value) { return {value.GetString(), value.GetStringLength()}; }

const JsonValue* find(const JsonValue& object, const char* key) {
    const auto member = object.FindMember(key);
    return member == object.MemberEnd() || member->value.IsNull() ? nullptr : &member->value;
}

CommandId id_of(const JsonValue& object) {
    const JsonValue* id = find(object, "id");
    if (id == nullptr) return {};
    if (!id->IsInt64()) throw CommandError("bad_message", "'id' is no whole number");
    return id->GetInt64();
}

// The members of one command, each taken as what it should be.
class Members {
public:
    explicit Members(const JsonValue& object) : object_(object), id_(id_of(object)) {}

    CommandId id() const noexcept { return id_; }
    std::string text(const char* key) const {
        const JsonValue* value = find(object_, key);
        if (value == nullptr) return {};
        if (!value->IsString()) throw wrong(key, "a text");
        // Texts of the bus end at their first NUL.
        if (text_in(*value).find('\0') != std::string_view::npos) throw wrong(key, "a text without NUL");
        return std::string(text_in(*value));
    }
    std::optional<bool> boolean(const char* key) const {
        const JsonValue* value = find(object_, key);
        if (value == nullptr) return {};
        if (!value->IsBool()) throw wrong(key, "true or false");
        return value->GetBool();
    }
    std::optional<std::uint32_t> number(const char* key, std::uint32_t most) const {
        const JsonValue* value = find(object_, key);
        if (value == nullptr) return {};
        if (!value->IsUint() || value->GetUint() > most) throw wrong(key, "a whole number from 0 to " + std::to_string(most));
        return value->GetUint();
    }
    Patterns patterns() const {
        const JsonValue* value = find(object_, "patterns");
        if (value == nullptr || !value->IsArray()) throw wrong("patterns", "a list of texts");
        Patterns patterns;
        for (const JsonValue& pattern : value->GetArray()) {
            if (!pattern.IsString()) throw wrong("patterns", "a list of texts");
            patterns.emplace_back(text_in(pattern));
        }
        return patterns;
    }
    CommandError wrong(const char* key, const std::string& expected) const {
        return {"bad_message", "'" + std::string(key) + "' is not " + expected, id_};
    }

private:
    const JsonValue& object_;
    const CommandId id_;
};

Subscription subscription_in(const Members& members) {
    Subscription wanted;
    wanted.patterns = members.patterns();
    if (const std::string since = members.text("since"); !since.empty()) {
        wanted.since = parse_cursor(since);
        if (!wanted.since) throw CommandError("bad_cursor", "'" + since + "' is no cursor", members.id());
    }
    wanted.snapshot = members.boolean("snapshot").value_or(false);
    if (const auto batch = members.number("batch_ms", kLongestBatchMs)) wanted.batch = std::chrono::milliseconds(*batch);
    wanted.coalesce = members.boolean("coalesce");
    wanted.max_rate = members.number("max_rate", 1'000'000);
    return wanted;
}

// Skips a JSON value of a text that is JSON.
std::size_t end_of_value(std::string_view text, std::size_t at) {
    int depth = 0;
    bool in_string = false;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (in_string) {
            if (c == '\\') ++at;
            else if (c == '"') in_string = false;
            continue;
        }
        if (c == '"') in_string = true;
        else if (c == '{' || c == '[') ++depth;
        else if (c == '}' || c == ']') {
            if (depth-- == 0) return at;
        } else if (c == ',' && depth == 0) return at;
    }
    return at;
}

bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

// The text of a member of an object, which is JSON: as it stands there, with every digit. The last one of that name, as the
// document has it.
std::string_view text_of_member(std::string_view object, std::string_view key) {
    std::string_view found;
    for (std::size_t at = object.find('{') + 1; at < object.size();) {
        const std::size_t name = object.find('"', at);
        if (name == std::string_view::npos) break;
        std::size_t end = name + 1;
        while (object[end] != '"') end += object[end] == '\\' ? 2 : 1;
        const std::size_t value = object.find(':', end) + 1;
        const std::size_t value_end = end_of_value(object, value);
        if (object.substr(name + 1, end - name - 1) == key) found = trimmed(object.substr(value, value_end - value));
        at = value_end + 1;
        if (value_end >= object.size() || object[value_end] == '}') break;
    }
    return found;
}

// Digits, and '=' at the end only.
std::optional<std::string> decode_base64(std::string_view text) {
    static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (text.size() % 4 != 0) return std::nullopt;
    std::string bytes;
    std::uint32_t group = 0;
    std::size_t padding = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::size_t digit = kDigits.find(text[i]);
        if (text[i] == '=' && i + 2 >= text.size()) {
            ++padding;
        } else if (digit == std::string_view::npos || padding > 0) {
            return std::nullopt;
        }
        group = group << 6 | (text[i] == '=' ? 0 : static_cast<std::uint32_t>(digit));
        if (i % 4 != 3) continue;
        for (int shift = 16; shift >= 0; shift -= 8) bytes += static_cast<char>(group >> shift & 0xff);
        group = 0;
    }
    bytes.resize(bytes.size() - padding);
    return bytes;
}

PublishCommand publication_in(const JsonValue& object, std::string_view text) {
    const Members members(object);
    PublishCommand publish;
    publish.id = members.id();
    publish.type = members.text("type");
    publish.source = members.text("source");
    publish.subject = members.text("subject");
    if (publish.type.empty()) throw members.wrong("type", "there");
    const std::string encoding = members.text("encoding");
    if (const std::string base64 = members.text("payload_base64"); !base64.empty()) {
        const auto bytes = decode_base64(base64);
        if (!bytes || !encoding.empty()) throw members.wrong("payload_base64", "base64, without 'encoding'");
        publish.payload = *bytes;
        publish.encoding = SWB_BYTES;
    } else if (encoding == "text") {
        publish.payload = members.text("payload");
        publish.encoding = SWB_TEXT;
    } else if (encoding.empty() || encoding == "json") {
        const std::string_view payload = text_of_member(text, "payload");
        publish.payload = payload.empty() ? "{}" : std::string(payload);
        publish.encoding = SWB_JSON;
    } else {
        throw members.wrong("encoding", "text or json");
    }
    return publish;
}

const JsonValue& parse(core::JsonDocument& document, std::string_view text) {
    try {
        return document.parse(text);
    } catch (const core::Error& e) {
        throw CommandError("bad_message", e.what());
    }
}

}  // namespace

Command command_from_json(std::string_view text) {
    thread_local core::JsonDocument document;
    const JsonValue& object = parse(document, text);
    if (!object.IsObject()) throw CommandError("bad_message", "the message is no JSON object");
    const JsonValue* op = find(object, "op");
    if (op == nullptr || !op->IsString()) throw CommandError("bad_message", "the message has no 'op'", id_of(object));
    const std::string_view name = text_in(*op);
    const Members members(object);
    if (name == "auth") return AuthCommand{members.text("token")};
    if (name == "subscribe") return SubscribeCommand{members.id(), subscription_in(members)};
    if (name == "unsubscribe") return UnsubscribeCommand{members.id(), members.patterns()};
    if (name == "publish") return publication_in(object, text);
    if (name == "heartbeat") return HeartbeatCommand{};
    throw CommandError("bad_message", "there is no 'op' of that name", members.id());
}

std::vector<PublishCommand> publications_from_json(std::string_view text) {
    thread_local core::JsonDocument document;
    const JsonValue& parsed = parse(document, text);
    std::vector<PublishCommand> publications;
    if (parsed.IsObject()) {
        publications.push_back(publication_in(parsed, text));
        return publications;
    }
    if (!parsed.IsArray()) throw CommandError("bad_message", "the body is neither a JSON object nor a list of them");
    std::size_t at = text.find('[') + 1;
    for (const JsonValue& object : parsed.GetArray()) {
        if (!object.IsObject())
            throw CommandError("bad_message", "event " + std::to_string(publications.size()) + " of the list is no JSON object");
        const std::size_t end = end_of_value(text, at);
        publications.push_back(publication_in(object, text.substr(at, end - at)));
        at = end + 1;
    }
    return publications;
}

void check_patterns(const Patterns& patterns, std::size_t most, CommandId id) {
    if (patterns.size() > most) {
        throw CommandError("too_many_patterns", std::to_string(patterns.size()) + " patterns; a client may have " + std::to_string(most),
                           id);
    }
    for (const std::string& pattern : patterns) {
        std::size_t position = 0;
        if (pattern.find('\0') != std::string::npos) throw CommandError("bad_pattern", "a pattern has a NUL", id);
        if (swb_check_pattern(pattern.c_str(), &position) != SWB_OK) throw CommandError("bad_pattern", swb_last_error(), id);
    }
}

}  // namespace swarmbus::gateway
