#include "ws_gateway/messages/event_json.hpp"

#include <array>
#include <charconv>

#include "src/clock/rfc3339.hpp"
#include "src/tool/text.hpp"
#include "ws_gateway/journal/cursor.hpp"

namespace swarmbus::gateway {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::array<std::string_view, 5> kEncodings = {"bytes", "text", "json", "flatbuffers", "flexbuffers"};

void append_number(std::string& out, std::uint64_t number) {
    char digits[20];
    out.append(static_cast<const char*>(digits), static_cast<const char*>(std::to_chars(digits, digits + sizeof digits, number).ptr));
}

swb_event raw_event(const Record& record) {
    swb_event event{};
    event.size = sizeof event;
    event.type = record.type_name.data();  // of a std::string: ended by NUL
    event.source = event.subject = "";
    event.payload = record.payload.data();
    event.payload_bytes = record.payload.size();
    event.encoding = record.encoding;
    return event;
}

}  // namespace

void JsonEvents::encode(const Record& record, std::string& out) {
    out += ",{\"type\":\"";
    out += record.type_name;  // has no character that JSON escapes
    out += "\",\"source\":";
    tool::append_json_string(out, record.source);
    out += ",\"subject\":";
    tool::append_json_string(out, record.subject);
    out += ",\"sequence\":";
    append_number(out, record.sequence);
    out += ",\"writer\":";
    append_number(out, record.writer);
    out += ",\"offset\":";
    append_number(out, record.offset);
    append_time(record.time_ns, out);
    out += ",\"encoding\":\"";
    out += record.encoding < kEncodings.size() ? kEncodings[record.encoding] : "unknown";
    out += "\",\"payload\":";
    append_payload(record, out);
    out += '}';
}

void JsonEvents::append_time(std::uint64_t unix_ns, std::string& out) {
    if (unix_ns / kSecond != second_) {
        second_ = unix_ns / kSecond;
        second_text_ = core::utc_timestamp(second_ * kSecond).substr(0, std::string_view("2026-11-26T13:03:22.").size());
    }
    out += ",\"time\":\"";
    out += second_text_;
    char digits[] = "000000000Z\"";
    auto rest = static_cast<std::uint32_t>(unix_ns % kSecond);
    for (char* digit = digits + 8; rest > 0; rest /= 10) *digit-- = static_cast<char>('0' + rest % 10);
    out += digits;
}

void JsonEvents::append_payload(const Record& record, std::string& out) {
    if (record.omitted_bytes > 0) {
        out += "null,\"omitted_bytes\":";
        append_number(out, record.omitted_bytes);
        return;
    }
    const bool is_text = record.encoding == SWB_BYTES || record.encoding == SWB_TEXT;
    if (is_text && tool::is_utf8(record.payload)) {
        tool::append_json_string(out, record.payload);
        return;
    }
    const std::size_t begin = out.size();
    if (!is_text && to_json_(raw_event(record), out)) {
        // JSON that was published as such may have lines.
        for (std::size_t at = begin; record.encoding == SWB_JSON && at < out.size(); ++at) {
            if (static_cast<unsigned char>(out[at]) < ' ') out[at] = ' ';
        }
        return;
    }
    out += "null,\"payload_base64\":\"";
    tool::append_base64(out, record.payload);
    out += '"';
}

void SseEvents::encode(const Record& record, std::string& out) {
    out += "id: ";
    append_cursor(out, {epoch_, record.offset});
    out += "\ndata:";
    const std::size_t begin = out.size();
    json_.encode(record, out);
    out[begin] = ' ';  // instead of its comma
    out += "\n\n";
}

}  // namespace swarmbus::gateway
