// Binary schemas from anywhere: refused, or printed, compared, and used for payloads.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/types/evolution.hpp"
#include "src/types/payload_from_json.hpp"
#include "src/types/schema_print.hpp"
#include "src/types/verify.hpp"
#include "tests/fuzz/expect.hpp"
#include "tests/fuzz/refused.hpp"
#include "tests/fuzz/schemas.hpp"

namespace {

using namespace swarmbus;

// With something in every kind of field.
constexpr std::string_view kEvent = R"({"truth":true,"int8":1,"uint64":2,"real32":0.5,"colour":"Red","access":"Read Run","text":"t",
    "leaf":{"name":"l"},"branch":{"left":{},"leaves":[{"number":1}]},"point":{"x":1,"y":2},"mark":{"colour":"Blue","at":{"x":1,"y":2},
    "weights":[1,2,3],"corners":[{"x":1,"y":2},{"x":3,"y":4}]},"shape_type":"Branch","shape":{},"shapes_type":["Text","Point"],
    "shapes":["t",{"x":1,"y":2}],"bytes":[1],"longs":[1],"texts":["t"],"points":[{"x":1,"y":2}],"flex":{"a":[1]},
    "any":{"a":[1,2.5,null,true,"t"]}})";

std::vector<std::byte> payload_of(const core::Schema& schema, std::string_view json) {
    core::PayloadFromJson from_json;
    const auto payload = from_json.convert(schema, json);
    return {payload.begin(), payload.end()};
}

void use(const core::Schema& schema) {
    static const std::vector<std::byte> payload = payload_of(fuzzing::everything(), kEvent);
    fuzzing::refused({SWB_ERR_PAYLOAD}, [&] {
        core::check_payload(schema, payload);
        fuzzing::expect_json(fuzzing::json_of(schema, payload));
    });
    fuzzing::refused({SWB_ERR_PAYLOAD}, [&] {
        const auto own = payload_of(schema, kEvent);
        const auto fault = core::find_payload_fault(schema, own);
        fuzzing::expect(!fault, "what is made of JSON verifies", fault.value_or(""));
        fuzzing::expect_json(fuzzing::json_of(schema, own));
    });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzzing::refused({SWB_ERR_SCHEMA}, [&] {
        const core::Schema schema(std::as_bytes(std::span(data, size)));
        core::fbs_of(schema);
        fuzzing::expect_json(core::json_schema_of(schema));
        core::find_incompatibility(fuzzing::everything(), schema);
        core::find_incompatibility(schema, fuzzing::everything());
        fuzzing::expect(core::is_same(schema, schema), "a schema is the same as itself");
        use(schema);
    });
    return 0;
}
