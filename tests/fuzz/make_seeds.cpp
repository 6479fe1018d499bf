// Binary seeds, made of those that are text: payloads, binary schemas and FlexBuffers.
#include <swarmbus/gateway_generated.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <utility>

#include "src/error.hpp"
#include "src/types/flex_json.hpp"
#include "src/types/json_document.hpp"
#include "src/types/payload_from_json.hpp"
#include "src/types/schema_text.hpp"
#include "tests/fuzz/schemas.hpp"
#include "ws_gateway/server/commands.hpp"

namespace {

namespace fs = std::filesystem;
using namespace swarmbus;

// Each of the texts of a folder as `make` has it; those that it refuses are seeds as text only.
template <typename Make>
void make_all(const fs::path& from, const fs::path& to, Make&& make) {
    fs::create_directories(to);
    for (const auto& entry : fs::directory_iterator(from)) {
        std::ifstream file(entry.path(), std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        try {
            const auto made = make(text);
            const auto bytes = std::as_bytes(std::span(made));
            std::ofstream(to / entry.path().stem(), std::ios::binary)
                .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        } catch (const core::Error&) {}
    }
}

std::string bytes_of(const wire::FrameT& frame) {
    flatbuffers::FlatBufferBuilder builder;
    builder.Align(8);
    builder.FinishSizePrefixed(wire::Frame::Pack(builder, &frame));
    return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

// A frame that says the same as a command in JSON.
std::string frame_of(const std::string& json) {
    wire::FrameT frame;
    try {
        const gateway::Command command = gateway::command_from_json(json);
        if (const auto* subscribe = std::get_if<gateway::SubscribeCommand>(&command)) {
            wire::SubscribeT table;
            table.patterns = subscribe->subscription.patterns;
            table.since = std::make_unique<wire::Cursor>(1, 2);
            frame.control.Set(std::move(table));
        } else if (const auto* publish = std::get_if<gateway::PublishCommand>(&command)) {
            wire::PublishT table;
            table.type = publish->type;
            table.payload.assign(publish->payload.begin(), publish->payload.end());
            frame.control.Set(std::move(table));
        } else {
            frame.control.Set(wire::HeartbeatT());
        }
    } catch (const gateway::CommandError& e) {
        throw core::Error(SWB_ERR_PAYLOAD, e.what());
    }
    return bytes_of(frame);
}

template <typename Table>
std::string control(Table table) {
    table.cursor = std::make_unique<wire::Cursor>(1, 2);
    wire::FrameT frame;
    frame.control.Set(std::move(table));
    return bytes_of(frame);
}

std::string event(std::uint64_t offset) {
    wire::FrameT frame;
    frame.stamp = std::make_unique<wire::Stamp>(offset, 5, 6, 7, wire::Encoding::Text);
    frame.type = "a.b";
    frame.source = frame.subject = "somebody";
    frame.payload.assign(5, 'x');
    return bytes_of(frame);
}

// What gateways say, as the target `gateway_answer` reads it.
void make_answers(const fs::path& to) {
    const std::string next = "--next--", closed = "-closed-";
    wire::HelloT hello;
    hello.protocol = 1;
    hello.server = hello.bus = "name";
    hello.heartbeat_ms = 30'000;
    hello.message_bytes = hello.patterns = 65'536;
    wire::SubscribedT live, recovered, reset;
    live.id = recovered.id = reset.id = 1;
    recovered.resume = wire::Resume::Recovered;
    reset.resume = wire::Resume::Reset;
    reset.reason = wire::ResetReason::Epoch;
    wire::SnapshotT snapshot;
    snapshot.events = 1;
    wire::GapT gap;
    gap.missed = 7;
    gap.lost_by = {1, 2, 3};
    wire::ByeT bye;
    bye.retry_after_ms = 500;
    wire::ErrorT error;
    error.id = 1;
    error.code = error.message = "bad_pattern";
    wire::FrameT refused;
    refused.control.Set(std::move(error));
    const std::string greeting = control(std::move(hello)) + next, is_live = greeting + control(std::move(live)) + next;
    const std::pair<const char*, std::string> seeds[] = {
        {"live", is_live + event(3) + event(4) + next + control(wire::HeartbeatT())},
        {"recovered", is_live + event(3) + closed + greeting + control(std::move(recovered)) + next + event(4)},
        {"reset",
         is_live + closed + greeting + control(std::move(reset)) + next + control(std::move(snapshot)) + event(1) + next + event(3)},
        {"gap", is_live + control(std::move(gap)) + event(9) + next + control(std::move(bye))},
        {"refused", greeting + bytes_of(refused)},
    };
    fs::create_directories(to);
    for (const auto& [name, bytes] : seeds) std::ofstream(to / name, std::ios::binary) << bytes;
}

}  // namespace

// Arguments: the folder of seeds, the one to write to, a file that is written when all is done.
int main(int, char** arguments) {
    const fs::path from = arguments[1], to = arguments[2];
    core::PayloadFromJson from_json;
    core::JsonDocument document;
    make_all(from / "json_to_payload", to / "payload_to_json",
             [&](const std::string& text) { return from_json.convert(fuzzing::everything(), text); });
    make_all(from / "schema_text", to / "binary_schema", [](const std::string& text) { return core::binary_of_text(text); });
    make_all(from / "json_document", to / "flexbuffer_to_json",
             [&](const std::string& text) { return core::flexbuffer_of(document.parse(text), nullptr); });
    make_all(from / "gateway_command", to / "gateway_frame", [](const std::string& text) { return frame_of(text); });
    make_answers(to / "gateway_answer");
    std::ofstream(arguments[3]) << "made\n";
}
