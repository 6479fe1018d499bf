#include "src/types/cloud_event_reader.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "src/error.hpp"
#include "src/routing/name.hpp"
#include "src/types/base64.hpp"
#include "src/types/json_parts.hpp"
#include "src/types/uri_reference.hpp"
#include "src/types/utf8.hpp"

namespace swarmbus::core {

namespace {

[[noreturn]] void refuse(std::string_view attribute, const std::string& what) {
    throw Error(SWB_ERR_PAYLOAD, "the CloudEvent's " + std::string(attribute) + ": " + what);
}

// Attributes of the specification that are texts, in the order of Attributes::texts, and the two ways to give data.
constexpr std::array<std::string_view, 8> kTexts = {"specversion",     "id",         "source", "type", "subject",
                                                    "datacontenttype", "dataschema", "time"};
enum TextAttribute { specversion, id, source, type, subject, datacontenttype };

struct Attributes {
    std::array<std::string, kTexts.size()> texts;       // empty if they are not there
    std::optional<std::string_view> data, data_base64;  // as they were written
};

std::string text_of(JsonDocument& document, const JsonPart& part) {
    const JsonValue& value = document.parse(part.text);
    if (value.IsNull()) return {};  // the same as absent
    if (!value.IsString()) refuse(part.name, "it is no text");
    return {value.GetString(), value.GetStringLength()};
}

Attributes attributes_of(JsonDocument& document, std::string_view json) {
    JsonParts event = json_parts_of(json);
    if (event.shape != JsonParts::object) throw Error(SWB_ERR_PAYLOAD, "a CloudEvent is a JSON object; this is none");
    Attributes attributes;
    for (const JsonPart& part : event.parts) {
        if (part.name == "data") {
            attributes.data = part.text;
        } else if (part.name == "data_base64") {
            if (part.text != "null") attributes.data_base64 = part.text;
        } else if (const auto* found = std::ranges::find(kTexts, part.name); found != kTexts.end()) {
            attributes.texts[static_cast<std::size_t>(found - kTexts.begin())] = text_of(document, part);
        }
    }
    // Which of two of the same name counts, other readers might see otherwise.
    std::ranges::sort(event.parts, {}, &JsonPart::name);
    const auto twice = std::ranges::adjacent_find(event.parts, {}, &JsonPart::name);
    if (twice != event.parts.end()) refuse(twice->name, "it is there twice");
    return attributes;
}

// "Text/Plain; charset=utf-8" is {"text", "plain"}.
struct MediaType {
    std::string type, subtype;

    explicit MediaType(std::string_view text) {
        text = text.substr(0, text.find(';'));
        while (text.ends_with(' ')) text.remove_suffix(1);
        const std::size_t slash = std::min(text.find('/'), text.size());
        type = lower(text.substr(0, slash));
        subtype = lower(text.substr(std::min(slash + 1, text.size())));
    }
    bool is_json() const { return subtype == "json" || subtype.ends_with("+json"); }

private:
    static std::string lower(std::string_view text) {
        std::string lowered(text);
        for (char& c : lowered) {
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        }
        return lowered;
    }
};

bool holds_zero(std::string_view text) { return text.find('\0') != std::string_view::npos; }

}  // namespace

const CloudEvent& CloudEventReader::read(std::string_view json) {
    Attributes attributes = attributes_of(document_, json);
    auto& texts = attributes.texts;
    if (texts[specversion] != "1.0")
        refuse("specversion", texts[specversion].empty() ? "it is missing; 1.0 is known here" : "only 1.0 is known here");
    for (const TextAttribute required : {id, source, type}) {
        if (texts[required].empty()) refuse(kTexts[required], "it is missing or empty");
    }
    if (holds_zero(texts[type])) refuse("type", "it holds a zero byte");
    check_type(texts[type]);
    event_.type = std::move(texts[type]);
    event_.source = text_of_uri_reference(texts[source]);
    event_.subject = std::move(texts[subject]);
    if (holds_zero(event_.source)) refuse("source", "it holds a zero byte");
    if (holds_zero(event_.subject)) refuse("subject", "it holds a zero byte");
    if (attributes.data && attributes.data_base64) throw Error(SWB_ERR_PAYLOAD, "the CloudEvent has both data and data_base64");

    const MediaType content(texts[datacontenttype]);
    const bool is_json = content.is_json();
    event_.kind = CloudEvent::Data::none;
    event_.data = {};
    if (attributes.data_base64) {
        auto bytes = decode_base64(text_of(document_, {"data_base64", *attributes.data_base64}));
        if (!bytes) refuse("data_base64", "it is no base64");
        data_ = std::move(*bytes);
        event_.data = data_;
        const bool is_text = content.type == "text" && is_utf8(data_);
        event_.kind = is_json ? CloudEvent::Data::json : is_text ? CloudEvent::Data::text : CloudEvent::Data::bytes;
    } else if (attributes.data && (is_json || texts[datacontenttype].empty())) {
        event_.kind = CloudEvent::Data::json;
        event_.data = *attributes.data;
    } else if (attributes.data && *attributes.data != "null") {
        const JsonValue& value = document_.parse(*attributes.data);
        if (!value.IsString()) refuse("data", "it is no text, as it has to be with datacontenttype " + texts[datacontenttype]);
        data_.assign(value.GetString(), value.GetStringLength());
        event_.kind = CloudEvent::Data::text;
        event_.data = data_;
    }
    return event_;
}

std::vector<std::string_view> cloud_events_of(std::string_view json) {
    const JsonParts parts = json_parts_of(json);
    if (parts.shape != JsonParts::list) return {json};
    std::vector<std::string_view> events;
    for (const JsonPart& part : parts.parts) events.push_back(part.text);
    return events;
}

}  // namespace swarmbus::core
