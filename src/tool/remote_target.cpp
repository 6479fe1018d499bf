// pub by a gateway.
#include <unistd.h>

#include <stdexcept>

#include "src/error.hpp"
#include "src/tool/publish_target.hpp"
#include "src/tool/remote_session.hpp"
#include "src/types/cloud_event_reader.hpp"
#include "ws_gateway/client/remote_types.hpp"

namespace swarmbus::tool {
namespace {

// For a connection, and for an answer.
constexpr std::chrono::seconds kPatience{30};
constexpr std::size_t kMostSource = 63, kMostSubject = 127;

swb_result result_of(const std::string& code) {
    if (code == "bad_payload") return SWB_ERR_PAYLOAD;
    if (code == "bad_type") return SWB_ERR_TYPE_NAME;
    return SWB_ERR_SYSTEM;
}

class GatewayTarget final : public PublishTarget {
public:
    GatewayTarget(const GatewayOption& gateway, const std::string& source)
        : session_(gateway, {}, nullptr),
          types_([this](const std::string& path) { return fetch(path); }),
          source_(source.empty() ? "swarmbus-" + std::to_string(::getpid()) : source) {
        check_length("source", source_, kMostSource);
    }

    bool has_type(const std::string& type) override { return types_.has(type); }

    Delivery publish(const std::string& type, const Message& message) override {
        const std::string subject = message.subject != nullptr ? message.subject : "";
        check_length("subject", subject, kMostSubject);
        return publish({type, source_, subject, message.payload, static_cast<std::uint32_t>(message.encoding)});
    }

    Delivery publish_json(const std::string& type, std::string_view json, const Message& message) override {
        Message whole = message;
        whole.payload = as_payload(json);
        whole.encoding = Encoding::json;
        return publish(type, whole);
    }

    Delivery publish_cloudevent(std::string_view json) override {
        try {
            const core::CloudEvent& event = reader_.read(json);
            using Data = core::CloudEvent::Data;
            std::string_view payload = event.data;
            std::uint32_t encoding = event.kind == Data::text ? SWB_TEXT : event.kind == Data::json ? SWB_JSON : SWB_BYTES;
            if (event.kind == Data::none && types_.has(event.type)) {
                payload = "{}";
                encoding = SWB_JSON;
            }
            return publish({event.type, event.source, event.subject, as_payload(payload), encoding});
        } catch (const core::Error& e) {
            throw Error(e.code(), e.what());
        }
    }

private:
    static void check_length(const char* what, const std::string& text, std::size_t most) {
        if (text.size() > most) throw Error(SWB_ERR_ARGUMENT, std::string(what) + " has more than " + std::to_string(most) + " bytes");
    }

    std::optional<std::string> fetch(const std::string& path) {
        try {
            return session_.fetch(path, Clock::now() + session_.paced(kPatience));
        } catch (const TimeUp&) {
            throw std::runtime_error(session_.trouble());
        }
    }

    Delivery publish(const remote::Publication& publication) {
        const Clock::time_point end = Clock::now() + session_.paced(kPatience);
        while (session_.client().phase() != remote::Phase::live) {
            session_.turn(end);
            if (Clock::now() >= end) throw Error(SWB_ERR_SYSTEM, session_.trouble());
        }
        session_.tell_back("");
        try {
            return answer_to(session_.client().publish(publication), end);
        } catch (const std::length_error& e) {
            throw Error(SWB_ERR_TOO_LARGE, e.what());
        }
    }

    Delivery answer_to(std::int64_t id, Clock::time_point end) {
        for (;;) {
            while (const auto received = session_.client().next()) {
                if (const auto* done = std::get_if<remote::Published>(&*received); done != nullptr && done->id == id)
                    return delivery_of(*done);
                if (const auto* refused = std::get_if<remote::PublishRefused>(&*received); refused != nullptr && refused->id == id)
                    throw Error(result_of(refused->code), refused->message);
                // It is not sent again: nobody wants it twice.
                if (const auto* lost = std::get_if<remote::PublishUnanswered>(&*received); lost != nullptr && lost->id == id)
                    throw Error(SWB_ERR_SYSTEM, "whether it was published is not known; " + session_.trouble());
            }
            if (Clock::now() >= end) throw Error(SWB_ERR_SYSTEM, "whether it was published is not known: the gateway did not answer");
            session_.turn(end);
        }
    }

    static Delivery delivery_of(const remote::Published& published) {
        swb_delivery raw{};
        raw.size = sizeof raw;
        raw.sequence = published.sequence;
        raw.delivered = published.delivered;
        raw.dropped = published.dropped;
        return Delivery(raw);
    }

    RemoteSession session_;
    const WhileWaiting keep_alive_{[this] { session_.turn(Clock::now()); }};
    remote::RemoteTypes types_;
    core::CloudEventReader reader_;
    const std::string source_;
};

}  // namespace

std::unique_ptr<PublishTarget> gateway_target(const GatewayOption& gateway, const std::string& source) {
    return std::make_unique<GatewayTarget>(gateway, source);
}

}  // namespace swarmbus::tool
