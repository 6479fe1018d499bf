#include "src/tool/listen.hpp"

#include <signal.h>

#include <algorithm>
#include <map>

#include "src/tool/arguments.hpp"
#include "src/tool/exit_status.hpp"
#include "src/tool/interrupts.hpp"
#include "src/tool/text.hpp"

namespace swarmbus::tool {
namespace {

constexpr std::uint64_t kLargestBatch = 64;
// How long a reader of the output may be gone before a quiet bus notices.
constexpr std::chrono::nanoseconds kLook = std::chrono::milliseconds(200);

Options inbox_options(const Listening& what) {
    Options options;
    options.overflow = what.overflow;
    options.capacity_slots = what.capacity;
    options.source = what.source;
    return options;
}

std::string joined(const std::vector<std::string>& patterns) {
    std::string all;
    for (const std::string& pattern : patterns) all += pattern + ' ';
    return all;
}

// The bus is alive as long as the lines.
std::unique_ptr<EventLines> lines_of(EventFormat format, Bus& bus, const Output& output) {
    const auto to_json = [&bus](const Event& event) -> std::optional<std::string> {
        try {
            return bus.to_json(event);
        } catch (const Error& e) {
            if (e.code() == SWB_ERR_PAYLOAD || e.code() == SWB_ERR_NO_SCHEMA || e.code() == SWB_ERR_SCHEMA) return std::nullopt;
            throw;
        }
    };
    return lines_of(
        format, to_json, [&bus](const Event& event) { return bus.to_cloudevent(event); }, output);
}

}  // namespace

std::unique_ptr<EventLines> lines_of(EventFormat format, PayloadToJson to_json, std::function<std::string(const Event&)> to_cloudevent,
                                     const Output& output) {
    switch (format) {
    case EventFormat::cloudevents: return cloud_event_lines(std::move(to_cloudevent));
    case EventFormat::json: return json_lines(std::move(to_json));
    default: return lines_for_people(output.colours(), std::move(to_json));
    }
}

void add_format_options(CLI::App& command, EventFormat& format) {
    static const std::map<std::string, EventFormat> kFormats = {
        {"text", EventFormat::text}, {"json", EventFormat::json}, {"cloudevents", EventFormat::cloudevents}};
    CLI::Option* const named = command
                                   .add_option_function<std::string>(
                                       "--format", [&format](const std::string& name) { format = kFormats.at(name); },
                                       "text (default), json, or cloudevents: one JSON object a line")
                                   ->type_name("NAME")
                                   ->check(CLI::IsMember({"text", "json", "cloudevents"}).description(""));
    command
        .add_flag_callback(
            "--json", [&format] { format = EventFormat::json; }, "The same as --format json")
        ->excludes(named);
}

Heard listen(const Listening& what) {
    check_patterns(what.patterns);
    if (!is_utf8(what.source)) throw UsageError("--source is not UTF-8");
    catch_interrupts();
    if (what.gateway.given()) return listen_at_gateway(what);
    Output output;
    Bus bus(what.bus, inbox_options(what));
    const std::unique_ptr<EventLines> lines = lines_of(what.format, bus, output);
    const StopOnInterrupt stop(bus);
    bus.subscribe(joined(what.patterns));

    Heard heard;
    const Clock::time_point end = what.timeout ? Clock::now() + *what.timeout : Clock::time_point::max();
    for (;;) {
        const std::uint64_t wanted = what.count ? *what.count - heard.events : kLargestBatch;
        const std::chrono::nanoseconds left = std::max(end - Clock::now(), Clock::duration::zero());
        const auto events = bus.next_batch(std::min(wanted, kLargestBatch), std::min(left, kLook));
        for (const Event& event : events) {
            lines->append(output.text(), event);
            heard.events += event ? 1 : 0;
            heard.lost += event.lost();
            output.flush_if_large();
        }
        if (events.empty()) {
            if (output.reader_has_gone()) throw Ended{SIGPIPE};
        } else {
            bus.release();  // printing may take long; publishers need not wait for it
            output.flush();
        }
        check_interrupts();
        if (what.count && heard.events == *what.count) return heard;
        if (Clock::now() >= end) return heard;
    }
}

}  // namespace swarmbus::tool
