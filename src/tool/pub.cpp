// swarmbus pub: publishes an event, or one for each line of standard input.
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "src/error.hpp"
#include "src/tool/arguments.hpp"
#include "src/tool/commands.hpp"
#include "src/tool/exit_status.hpp"
#include "src/tool/input.hpp"
#include "src/tool/interrupts.hpp"
#include "src/tool/pace.hpp"
#include "src/tool/publish_target.hpp"
#include "src/tool/streams.hpp"
#include "src/tool/text.hpp"
#include "src/types/cloud_event_reader.hpp"

namespace swarmbus::tool {
namespace {

constexpr std::uint64_t kUntilEnded = std::numeric_limits<std::uint64_t>::max();

struct PubOptions {
    std::string type, payload, source, subject, encoding, format;
    std::optional<std::string> rate, count, block_timeout;
    bool lines = false, json = false, strict = false;
    GatewayOption gateway;

    bool cloudevents() const { return format == "cloudevents"; }
};

// Tells about events that some subscriber did not get: at most once a second, and at the end.
class DropReport {
public:
    DropReport() = default;
    ~DropReport() { say(); }
    DropReport(const DropReport&) = delete;
    DropReport& operator=(const DropReport&) = delete;

    void add(const Delivery& delivery) {
        ++events_;
        if (delivery.dropped == 0) return;
        ++incomplete_;
        deliveries_ += delivery.dropped;
        any_ = true;
        if (Clock::now() - said_ >= std::chrono::seconds(1)) say();
    }
    bool any() const noexcept { return any_; }

private:
    void say() {
        if (incomplete_ > 0) {
            complain("warning: " + std::to_string(incomplete_) + " of " + std::to_string(events_) +
                     " events did not reach every subscriber (" + std::to_string(deliveries_) + " dropped)");
        }
        events_ = incomplete_ = deliveries_ = 0;
        said_ = Clock::now();
    }

    std::uint64_t events_ = 0, incomplete_ = 0, deliveries_ = 0;
    bool any_ = false;
    Clock::time_point said_ = Clock::now();
};

// Publishes payloads as the options say, and prints what became of them.
class Publishing {
public:
    Publishing(const PubOptions& options, const std::string& bus)
        : options_(options),
          output_(options.json ? std::make_optional<Output>() : std::nullopt),
          pace_(options.rate ? std::make_optional<Pace>(parse_rate("--rate", *options.rate)) : std::nullopt),
          target_(options.gateway.given() ? gateway_target(options.gateway, options.source) : bus_target(bus, bus_options(options))),
          has_schema_(!options.cloudevents() && options.encoding.empty() && target_->has_type(options.type)) {
        message_.subject = options.subject.empty() ? nullptr : options.subject.c_str();
    }

    void publish(std::string_view payload) {
        if (!options_.cloudevents()) return publish_one(payload);
        const std::vector<std::string_view> events = events_of(payload);
        if (events.empty()) {
            keep_pace();
            check_interrupts();
        }
        for (const std::string_view event : events) publish_one(event);
    }

    void publish_one(std::string_view payload) {
        keep_pace();
        try {
            const Delivery delivery = publish_as_told(payload);
            drops_.add(delivery);
            if (output_) report(delivery, options_.cloudevents() ? reader_.read(payload).type : options_.type);
        } catch (const Error& e) {
            throw Error(e.code(), where_ + e.what());
        }
        check_interrupts();
    }

    void publish_lines(std::optional<std::uint64_t> most) {
        Input input(options_.json);
        std::uint64_t number = 0;
        for (std::string_view line; !most || number < *most;) {
            if (output_ && !input.line_is_there()) output_->flush();
            if (!input.next_line(line)) return;
            where_ = "line " + std::to_string(++number) + " of standard input: ";
            publish(line);
        }
    }

    int finish() {
        if (output_) output_->flush();
        return options_.strict && drops_.any() ? kIncomplete : kDone;
    }

private:
    void keep_pace() {
        if (!pace_) return;
        if (output_) output_->flush();
        pace_->wait();
    }

    static Options bus_options(const PubOptions& options) {
        Options bus;
        bus.source = options.source;
        if (options.block_timeout) {
            bus.block_timeout = parse_duration("--block-timeout", *options.block_timeout, std::chrono::milliseconds(1));
        }
        return bus;
    }

    // Of a batch, or of one event.
    std::vector<std::string_view> events_of(std::string_view payload) const {
        try {
            return core::cloud_events_of(payload);
        } catch (const core::Error& e) {
            throw Error(e.code(), where_ + e.what());
        }
    }

    Delivery publish_as_told(std::string_view payload) {
        if (options_.cloudevents()) return target_->publish_cloudevent(payload);
        if (options_.encoding == "json") return target_->publish_json(options_.type, payload, message_);
        if (has_schema_) return publish_by_schema(payload);
        message_.payload = as_payload(payload);
        message_.encoding = encoding_of(payload);
        return target_->publish(options_.type, message_);
    }

    Delivery publish_by_schema(std::string_view payload) {
        try {
            return target_->publish_json(options_.type, payload.empty() ? "{}" : payload, message_);
        } catch (const Error& e) {
            if (e.code() != SWB_ERR_PAYLOAD) throw;
            throw Error(e.code(), std::string(e.what()) + "; 'swarmbus schema show " + options_.type +
                                      "' prints what it has, --encoding text publishes the payload as it is");
        }
    }

    Encoding encoding_of(std::string_view payload) const {
        if (options_.encoding == "bytes") return Encoding::bytes;
        const bool text = is_utf8(payload);
        if (options_.encoding == "text" && !text) throw std::runtime_error(where_ + "the payload is not UTF-8; use --encoding bytes");
        return text ? Encoding::text : Encoding::bytes;
    }

    void report(const Delivery& delivery, const std::string& type) {
        std::string& out = output_->text();
        out += "{\"type\":";
        append_json_string(out, type);
        out += ",\"sequence\":" + std::to_string(delivery.sequence) + ",\"delivered\":" + std::to_string(delivery.delivered) +
               ",\"dropped\":" + std::to_string(delivery.dropped) + "}\n";
        output_->flush_if_large();
    }

    const PubOptions& options_;
    std::optional<Output> output_;
    std::optional<Pace> pace_;
    const std::unique_ptr<PublishTarget> target_;
    const bool has_schema_;  // the type, when publishing began; not asked for where --encoding says what to do
    Message message_;
    core::CloudEventReader reader_;
    DropReport drops_;
    std::string where_;  // in front of what is wrong with a payload
};

// With --format cloudevents the event says what it is: what stands in the place of TYPE is PAYLOAD.
void take_event_for_type(PubOptions& options, bool& has_type, bool& has_payload) {
    if (has_payload) throw UsageError("--format cloudevents: the event says its type; leave TYPE out");
    if (!options.source.empty() || !options.subject.empty() || !options.encoding.empty()) {
        throw UsageError("--format cloudevents: the event says it; leave --source, --subject and --encoding out");
    }
    if (!has_type && !options.lines) throw UsageError("an event is missing: PAYLOAD, '-' for standard input, or --lines");
    options.payload = std::exchange(options.type, {});
    has_payload = std::exchange(has_type, false);
}

int run(PubOptions& options, bool has_type, bool has_payload, const std::string& bus) {
    if (options.cloudevents()) {
        take_event_for_type(options, has_type, has_payload);
    } else {
        if (!has_type) throw UsageError("TYPE is required\nTry 'swarmbus pub --help'.");
        check_type(options.type);
    }
    if (!is_utf8(options.source)) throw UsageError("--source is not UTF-8");
    if (!is_utf8(options.subject)) throw UsageError("--subject is not UTF-8");
    const bool from_input = has_payload && options.payload == "-";
    if (options.lines && has_payload && !from_input) {
        throw UsageError("--lines takes the payloads from standard input; leave PAYLOAD out");
    }
    std::optional<std::uint64_t> count;
    if (options.count) count = parse_count("--count", *options.count);

    catch_interrupts();
    Publishing publishing(options, bus);
    if (options.lines) {
        publishing.publish_lines(count);
    } else {
        const std::string payload = from_input ? Input(options.json).all() : options.payload;
        const std::uint64_t times = count ? *count : options.rate ? kUntilEnded : 1;
        for (std::uint64_t i = 0; i < times; ++i) publishing.publish(payload);
    }
    return publishing.finish();
}

}  // namespace

void add_pub_command(CLI::App& app, Tool& tool) {
    const auto options = std::make_shared<PubOptions>();
    CLI::App* pub = app.add_subcommand("pub", "Publish events");
    const CLI::Option* type = pub->add_option("TYPE", options->type, "Type of the event, such as agent.status.changed")->type_name("");
    const CLI::Option* payload =
        pub->add_option("PAYLOAD", options->payload, "Payload; '-' takes standard input; empty if left out")->type_name("");
    add_bus_option(*pub, tool.bus);
    pub->add_option("--source", options->source, "Who publishes; else swarmbus-PID")->type_name("TEXT");
    pub->add_option("--subject", options->subject, "What it is about")->type_name("TEXT");
    pub->add_flag("--lines", options->lines, "Publish an event for each line of standard input");
    pub->add_option("-n,--count", options->count, "Publish N times; with --lines, at most N lines")->type_name("N");
    pub->add_option("--rate", options->rate, "Publish N events a second; without --count until Ctrl-C")->type_name("N/s");
    pub->add_option("--encoding", options->encoding,
                    "bytes, text or json. Else, if the type has a schema: JSON, which becomes what it asks for;\n"
                    "if not: text if it is UTF-8, bytes otherwise")
        ->type_name("NAME")
        ->check(CLI::IsMember({"bytes", "text", "json"}).description(""));
    pub->add_option("--format", options->format, "cloudevents: PAYLOAD or line is a CloudEvent, or a list of them; without TYPE")
        ->type_name("NAME")
        ->check(CLI::IsMember({"cloudevents"}).description(""));
    pub->add_option("--block-timeout", options->block_timeout, "Longest wait for full 'block' subscribers (default 100); 0: none")
        ->type_name("MS");
    pub->add_flag("--json", options->json, "Print what became of each event, one JSON object a line");
    pub->add_flag("--strict", options->strict, "Exit with 3 if a subscriber did not get an event");
    add_gateway_option(*pub, options->gateway, {"--block-timeout"});
    pub->footer(
        "Prints nothing unless asked to. Events that a full subscriber did not get give a warning.\n"
        "\n"
        "Examples:\n"
        "  swarmbus pub agent.created '{\"agent_id\": \"agent-7\"}'\n"
        "  swarmbus pub config.changed - < settings.bin    the bytes of a small file\n"
        "  tail -f app.log | swarmbus pub log.line --lines\n"
        "  swarmbus pub agent.heartbeat ok --rate 1/s      until Ctrl-C\n"
        "  swarmbus pub load.test x --count 1000 --json\n"
        "  swarmbus pub --format cloudevents - < event.json\n"
        "  swarmbus pub math.result -- -x                  a payload that looks like an option");
    pub->callback([options, type, payload, &tool] {
        check_gateway_option(options->gateway, tool.bus);
        tool.exit_status = run(*options, type->count() > 0, payload->count() > 0, chosen_bus(tool.bus));
    });
}

}  // namespace swarmbus::tool
