// Receiving and printing: what `sub` and `wait` share.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <swarmbus/bus.hpp>

#include "src/tool/event_lines.hpp"
#include "src/tool/gateway_option.hpp"
#include "src/tool/streams.hpp"

namespace swarmbus::tool {

struct Listening {
    GatewayOption gateway = {};  // instead of a bus of this machine
    std::string bus, source;     // source: the name by which others see it; empty: the default
    std::vector<std::string> patterns;
    Overflow overflow = Overflow::drop_oldest;
    std::uint32_t capacity = 0;                       // 0: the bus's default
    std::optional<std::uint64_t> count;               // events to print before it ends
    std::optional<std::chrono::nanoseconds> timeout;  // for all of it; zero: look once
    EventFormat format = EventFormat::text;
};

// --format and --json.
void add_format_options(CLI::App& command, EventFormat& format);

struct Heard {
    std::uint64_t events = 0;
    std::uint64_t lost = 0;
    bool incomplete = false;  // events may be missing, and nobody knows how many
};

// Prints events and losses as they come until count or timeout. Throws Ended when a signal comes or
// the reader of the output goes, also while nothing arrives.
Heard listen(const Listening& what);
// The same by what.gateway.
Heard listen_at_gateway(const Listening& what);

// The lines of a format.
std::unique_ptr<EventLines> lines_of(EventFormat format, PayloadToJson to_json, std::function<std::string(const Event&)> to_cloudevent,
                                     const Output& output);

}  // namespace swarmbus::tool
