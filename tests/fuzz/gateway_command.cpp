// What clients of the gateway say as JSON: refused, or a command whose texts are fit for a bus.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "src/types/json_document.hpp"
#include "tests/fuzz/expect.hpp"
#include "ws_gateway/server/commands.hpp"

namespace {

using namespace swarmbus;

void check(const gateway::PublishCommand& publish) {
    for (const std::string* part : {&publish.type, &publish.source, &publish.subject}) {
        fuzzing::expect(part->find('\0') == std::string::npos, "texts have no zero", *part);
    }
    if (publish.encoding == SWB_JSON) core::JsonDocument().parse(publish.payload);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try {
        const gateway::Command command = gateway::command_from_json(text);
        if (const auto* publish = std::get_if<gateway::PublishCommand>(&command)) check(*publish);
    } catch (const gateway::CommandError&) {}
    try {
        for (const gateway::PublishCommand& publish : gateway::publications_from_json(text)) check(publish);
    } catch (const gateway::CommandError&) {}
    return 0;
}
