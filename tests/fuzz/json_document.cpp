// JSON from anywhere, by itself: refused, or what another reader takes for JSON too; as a FlexBuffer and back it says the same.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/types/flex_json.hpp"
#include "src/types/json_document.hpp"
#include "tests/fuzz/expect.hpp"
#include "tests/fuzz/refused.hpp"

namespace {

using namespace swarmbus;

std::string through_flexbuffer(const core::JsonValue& value) {
    const std::vector<std::uint8_t> flexbuffer = core::flexbuffer_of(value, nullptr);
    core::JsonText json;
    core::append_flexbuffer(json, std::as_bytes(std::span(flexbuffer)), nullptr);
    return std::string(json.view());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    core::JsonDocument document;
    const core::JsonValue* value = nullptr;
    if (fuzzing::refused({SWB_ERR_PAYLOAD}, [&] { value = &document.parse(text); })) return 0;
    std::string printed;
    if (fuzzing::refused({SWB_ERR_PAYLOAD}, [&] { printed = through_flexbuffer(*value); })) return 0;
    fuzzing::expect_json(text);  // only now: the other reader refuses numbers that no double can hold
    fuzzing::expect_json(printed);
    const std::string again = through_flexbuffer(document.parse(printed));
    fuzzing::expect(printed == again, "JSON comes back as it was", printed + "\n" + again);
    return 0;
}
