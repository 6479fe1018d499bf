#include "src/types/cloud_event_writer.hpp"

#include <algorithm>
#include <charconv>
#include <span>

#include "src/clock/rfc3339.hpp"
#include "src/error.hpp"
#include "src/types/base64.hpp"
#include "src/types/flex_json.hpp"
#include "src/types/payload_to_json.hpp"
#include "src/types/uri_reference.hpp"
#include "src/types/utf8.hpp"
#include "src/types/verify.hpp"

namespace swarmbus::core {

namespace {

std::string sixteen_digits(std::uint64_t number) {
    char digits[16];
    const char* const end = std::to_chars(digits, digits + sizeof digits, number, 16).ptr;
    const auto count = static_cast<std::size_t>(end - digits);
    return std::string(16 - count, '0').append(digits, count);
}

// A writer's numbers go on over its leases; those of a bus that is made anew begin again, at another time.
std::string id_of(const swb_event& event) {
    return sixteen_digits(event.time_ns) + '-' + std::to_string(event.writer) + '-' + std::to_string(event.sequence);
}

bool is_empty(const char* text) { return text == nullptr || *text == '\0'; }

std::string source_of(const swb_event& event) { return is_empty(event.source) ? kUnknownSource : uri_reference_of(event.source); }

// Line breaks within texts are escaped, so that all others lie between the parts.
std::string_view in_one_line(std::string_view json, std::string& line) {
    if (json.find_first_of("\r\n") == std::string_view::npos) return json;
    line = json;
    std::ranges::replace_if(
        line, [](char c) { return c == '\r' || c == '\n'; }, ' ');
    return line;
}

}  // namespace

CloudEventWriter::Data CloudEventWriter::read_payload(const swb_event& event, const RegisteredType* type) {
    const auto bytes = copy_({static_cast<const std::byte*>(event.payload), event.payload_bytes});
    payload_ = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    try {
        switch (event.encoding) {
        case SWB_TEXT: return is_utf8(payload_) ? Data::text : Data::bytes;
        case SWB_JSON:
            document_.parse(payload_);
            json_ = in_one_line(payload_, line_);
            return Data::json;
        case SWB_FLATBUFFERS:
            if (type == nullptr || find_payload_fault(type->schema, bytes)) return Data::bytes;
            data_.clear();
            append_json(data_, type->schema, bytes);
            json_ = data_.view();
            return Data::json;
        case SWB_FLEXBUFFERS:
            data_.clear();
            append_flexbuffer(data_, bytes, nullptr);
            json_ = data_.view();
            return Data::json;
        default: return payload_.empty() ? Data::none : Data::bytes;
        }
    } catch (const Error&) {
        return Data::bytes;
    }
}

std::string_view CloudEventWriter::write(const swb_event& event, const RegisteredType* type) {
    const Data data = read_payload(event, type);
    text_.clear();
    const auto attribute = [&](const char* name, std::string_view value) {
        text_.key(name, nullptr);
        text_.text(value, nullptr);
    };
    text_.begin_object(nullptr);
    attribute("specversion", "1.0");
    attribute("id", id_of(event));
    attribute("source", source_of(event));
    attribute("type", event.type);
    attribute("time", utc_timestamp(event.time_ns));
    if (!is_empty(event.subject)) attribute("subject", with_utf8_mended(event.subject));
    switch (data) {
    case Data::none: break;
    case Data::json:
        if (event.encoding == SWB_FLATBUFFERS)
            attribute("dataschema", "urn:swarmbus:schema:" + type->registration.type + ':' + sixteen_digits(type->registration.hash));
        attribute("datacontenttype", "application/json");
        text_.key("data", nullptr);
        text_.json(json_, nullptr);
        break;
    case Data::text:
        attribute("datacontenttype", "text/plain;charset=utf-8");
        attribute("data", payload_);
        break;
    case Data::bytes:
        base64_.clear();
        append_base64(base64_, payload_);
        attribute("datacontenttype", "application/octet-stream");
        attribute("data_base64", base64_);
        break;
    }
    text_.end_object();
    return text_.view();
}

}  // namespace swarmbus::core
