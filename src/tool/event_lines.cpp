#include "src/tool/event_lines.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "src/tool/streams.hpp"
#include "src/tool/text.hpp"
#include "src/tool/timestamp.hpp"

namespace swarmbus::tool {
namespace {

constexpr std::array<const char*, SWB_LOSS_CAUSES> kCauses = {"evicted", "full", "timeout", "self", "no_slot", "damaged"};
constexpr std::array<const char*, 5> kEncodings = {"bytes", "text", "json", "flatbuffers", "flexbuffers"};

template <typename Visit>
void for_each_loss(const Event& event, Visit&& visit) {
    for (std::size_t cause = 0; cause < kCauses.size(); ++cause) {
        if (const std::uint64_t lost = event.raw().lost_by[cause]; lost > 0) visit(kCauses[cause], lost);
    }
}

// "lost 12: 10 evicted, 2 full"
std::string losses_of(const Event& event) {
    std::string losses = "lost " + std::to_string(event.lost());
    const char* separator = ": ";
    for_each_loss(event, [&](const char* cause, std::uint64_t lost) {
        losses += separator + std::to_string(lost) + ' ' + cause;
        separator = ", ";
    });
    return losses;
}

bool is_binary(const Event& event) noexcept {
    return event.encoding() == Encoding::flatbuffers || event.encoding() == Encoding::flexbuffers;
}

class LinesForPeople final : public EventLines {
public:
    LinesForPeople(bool colours, PayloadToJson to_json)
        : to_json_(std::move(to_json)),
          dim_(colours ? "\x1b[2m" : ""),
          warn_(colours ? "\x1b[33m" : ""),
          plain_(colours ? "\x1b[0m" : "") {}

    void append(std::string& out, const Event& event, std::uint64_t omitted_bytes) override {
        if (event.lost() > 0) out += warn_ + losses_of(event) + plain_ + '\n';
        if (!event) return;
        out += dim_ + local_timestamp(event.time_ns()) + plain_ + "  ";
        append_cell(out, printable(event.type()), type_width_);
        append_cell(out, event.source().empty() ? "-" : printable(event.source()), source_width_);
        append_cell(out, event.subject().empty() ? "-" : printable(event.subject()), subject_width_);
        out += dim_;
        append_cell(out, '#' + std::to_string(event.sequence()), sequence_width_);
        if (omitted_bytes > 0) {
            out += "(" + std::to_string(omitted_bytes) + " bytes, which the gateway left out)" + plain_ + '\n';
            return;
        }
        const std::optional<std::string> json = is_binary(event) ? to_json_(event) : std::nullopt;
        out += plain_ + printable(json ? *json : event.text());
        out += '\n';
    }

private:
    // A column grows with what it has shown, within reason: lines stay aligned and short.
    static constexpr std::size_t kWidest = 40;

    static void append_cell(std::string& out, const std::string& text, std::size_t& width) {
        const std::size_t taken = width_of(text);
        width = std::max(width, std::min(taken, kWidest));
        out += text;
        out.append(2 + (taken < width ? width - taken : 0), ' ');
    }

    const PayloadToJson to_json_;
    const std::string dim_, warn_, plain_;
    std::size_t type_width_ = 20, source_width_ = 12, subject_width_ = 8, sequence_width_ = 4;
};

class JsonLines final : public EventLines {
public:
    explicit JsonLines(PayloadToJson to_json) : to_json_(std::move(to_json)) {}

    void append(std::string& out, const Event& event, std::uint64_t omitted_bytes) override {
        out += '{';
        if (event) append_event(out, event, omitted_bytes);
        out += "\"lost\":" + std::to_string(event.lost());
        if (event.lost() > 0) {
            const char* separator = ",\"lost_by\":{\"";
            for_each_loss(event, [&](const char* cause, std::uint64_t lost) {
                out += std::string(separator) + cause + "\":" + std::to_string(lost);
                separator = ",\"";
            });
            out += '}';
        }
        out += "}\n";
    }

private:
    void append_event(std::string& out, const Event& event, std::uint64_t omitted_bytes) const {
        out += "\"type\":";
        append_json_string(out, event.type());
        out += ",\"source\":";
        append_json_string(out, event.source());
        out += ",\"subject\":";
        append_json_string(out, event.subject());
        out += ",\"sequence\":" + std::to_string(event.sequence());
        out += ",\"writer\":" + std::to_string(event.writer());
        out += ",\"time\":\"" + utc_timestamp(event.time_ns()) + '"';
        out += ",\"encoding\":\"";
        const auto encoding = static_cast<std::size_t>(event.encoding());
        out += encoding < kEncodings.size() ? kEncodings[encoding] : "unknown";
        out += "\",\"payload\":";
        if (omitted_bytes > 0) {
            out += "null,\"omitted_bytes\":" + std::to_string(omitted_bytes);
        } else {
            append_payload(out, event);
        }
        out += ',';
    }

    void append_payload(std::string& out, const Event& event) const {
        const std::string_view payload = event.text();
        const Encoding encoding = event.encoding();
        if (const std::optional<std::string> json = is_binary(event) ? to_json_(event) : std::nullopt) {
            out += *json;
            return;
        }
        if (encoding == Encoding::json && append_json_value(out, payload)) return;
        if ((encoding == Encoding::bytes || encoding == Encoding::text) && is_utf8(payload)) {
            append_json_string(out, payload);
            return;
        }
        out += "null,\"payload_base64\":\"";
        append_base64(out, payload);
        out += '"';
    }

    const PayloadToJson to_json_;
};

class CloudEventLines final : public EventLines {
public:
    explicit CloudEventLines(std::function<std::string(const Event&)> to_cloudevent) : to_cloudevent_(std::move(to_cloudevent)) {}

    void append(std::string& out, const Event& event, std::uint64_t omitted_bytes) override {
        if (event.lost() > 0) complain("warning: " + losses_of(event));
        if (omitted_bytes > 0) complain("warning: the gateway left out a payload of " + std::to_string(omitted_bytes) + " bytes");
        if (event) out += to_cloudevent_(event) + '\n';
    }

private:
    const std::function<std::string(const Event&)> to_cloudevent_;
};

}  // namespace

std::unique_ptr<EventLines> lines_for_people(bool colours, PayloadToJson to_json) {
    return std::make_unique<LinesForPeople>(colours, std::move(to_json));
}
std::unique_ptr<EventLines> json_lines(PayloadToJson to_json) { return std::make_unique<JsonLines>(std::move(to_json)); }
std::unique_ptr<EventLines> cloud_event_lines(std::function<std::string(const Event&)> to_cloudevent) {
    return std::make_unique<CloudEventLines>(std::move(to_cloudevent));
}

}  // namespace swarmbus::tool
