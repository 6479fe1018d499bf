#include "ws_gateway/server/commands.hpp"

#include <swarmbus.h>

#include <algorithm>

#include "src/error.hpp"
#include "src/types/base64.hpp"
#include "src/types/json_document.hpp"
#include "src/types/json_parts.hpp"

namespace swarmbus::gateway {
namespace {

using core::JsonValue;

constexpr rapidjson::SizeType kMostPublications = 1000;  // in one go: others wait meanwhile

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
    wanted.max_rate = members.number("max_rate", kMostRate);
    return wanted;
}

// Of the member `payload`, as it was written: with every digit. The last one, as the document has it.
std::string payload_text(std::string_view object) {
    std::string_view payload;
    for (const core::JsonPart& member : core::json_parts_of(object).parts) {
        if (member.name == "payload") payload = member.text;
    }
    return payload.empty() ? "{}" : std::string(payload);
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
        const auto bytes = core::decode_base64(base64);
        if (!bytes || !encoding.empty()) throw members.wrong("payload_base64", "base64, without 'encoding'");
        publish.payload = *bytes;
        publish.encoding = SWB_BYTES;
    } else if (encoding == "text") {
        publish.payload = members.text("payload");
        publish.encoding = SWB_TEXT;
    } else if (encoding.empty() || encoding == "json") {
        publish.payload = payload_text(text);
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
    if (parsed.Size() > kMostPublications) {
        throw CommandError("bad_message", "the list has " + std::to_string(parsed.Size()) + " events; publish at most " +
                                              std::to_string(kMostPublications) + " at a time");
    }
    const core::JsonParts objects = core::json_parts_of(text);
    for (rapidjson::SizeType i = 0; i < parsed.Size(); ++i) {
        if (!parsed[i].IsObject()) throw CommandError("bad_message", "event " + std::to_string(i) + " of the list is no JSON object");
        publications.push_back(publication_in(parsed[i], objects.parts[i].text));
    }
    return publications;
}

}  // namespace swarmbus::gateway
