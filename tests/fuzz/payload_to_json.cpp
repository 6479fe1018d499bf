// Payloads from anywhere, made JSON: they are refused, or printed as JSON that makes a payload which says the same.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "src/types/payload_from_json.hpp"
#include "src/types/verify.hpp"
#include "tests/fuzz/expect.hpp"
#include "tests/fuzz/refused.hpp"
#include "tests/fuzz/schemas.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace swarmbus;
    const core::Schema& schema = fuzzing::everything();
    const auto payload = std::as_bytes(std::span(data, size));
    std::string printed;
    const auto print = [&] {
        core::check_payload(schema, payload);
        printed = fuzzing::json_of(schema, payload);
    };
    if (fuzzing::refused({SWB_ERR_PAYLOAD}, print)) return 0;
    fuzzing::expect_json(printed);
    // Not every JSON that is printed can be read: a payload may have a name twice, and lists between its tables.
    core::PayloadFromJson from_json;
    std::vector<std::byte> again;
    const auto convert = [&] {
        const auto converted = from_json.convert(schema, printed);
        again.assign(converted.begin(), converted.end());
    };
    if (fuzzing::refused({SWB_ERR_PAYLOAD}, convert)) return 0;
    const auto fault = core::find_payload_fault(schema, again);
    fuzzing::expect(!fault, "what is made of JSON verifies", fault.value_or(""));
    const std::string printed_again = fuzzing::json_of(schema, again);
    // A null within (of a FlexBuffer, of swarmbus.Value) is an absent field when it is read, and FlexBuffers get sorted.
    const bool may_differ = printed.find(":null") != std::string::npos || printed.find("\"flex\"") != std::string::npos;
    fuzzing::expect(may_differ || printed == printed_again, "JSON comes back as it was", printed + "\n" + printed_again);
    return 0;
}
