// JSON from anywhere, made a payload: it is refused, or verifies and says the same as JSON again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/types/payload_from_json.hpp"
#include "src/types/verify.hpp"
#include "tests/fuzz/expect.hpp"
#include "tests/fuzz/refused.hpp"
#include "tests/fuzz/schemas.hpp"

namespace {

using namespace swarmbus;

std::string there_and_back(core::PayloadFromJson& from_json, const core::Schema& schema, std::string_view json) {
    const auto converted = from_json.convert(schema, json);
    const std::vector<std::byte> payload(converted.begin(), converted.end());
    const auto fault = core::find_payload_fault(schema, payload);
    fuzzing::expect(!fault, "what is made of JSON verifies", fault.value_or(""));
    return fuzzing::json_of(schema, payload);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    core::PayloadFromJson from_json;
    for (const core::Schema* schema : {&fuzzing::everything(), &fuzzing::task_failed()}) {
        std::string printed;
        if (fuzzing::refused({SWB_ERR_PAYLOAD}, [&] { printed = there_and_back(from_json, *schema, text); })) continue;
        fuzzing::expect_json(printed);
        const std::string again = there_and_back(from_json, *schema, printed);
        fuzzing::expect(printed == again, "JSON comes back as it was", printed + "\n" + again);
    }
    return 0;
}
