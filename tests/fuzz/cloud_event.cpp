// CloudEvents from anywhere: refused, or with a type and data that are fit for a bus.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "src/types/cloud_event_reader.hpp"
#include "src/types/json_document.hpp"
#include "tests/fuzz/expect.hpp"
#include "tests/fuzz/refused.hpp"

using namespace swarmbus;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    core::CloudEventReader reader;
    fuzzing::refused({SWB_ERR_PAYLOAD, SWB_ERR_TYPE_NAME}, [&] {
        for (const std::string_view one : core::cloud_events_of(text)) {
            const core::CloudEvent& event = reader.read(one);
            fuzzing::expect(!event.type.empty() && !event.source.empty(), "an event has a type and a source", std::string(one));
            for (const std::string* part : {&event.type, &event.source, &event.subject}) {
                fuzzing::expect(part->find('\0') == std::string::npos, "texts have no zero", *part);
            }
        }
    });
    return 0;
}
