// Schemas as text, from anywhere: refused, or made ready for use and printed as a text that makes the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "src/types/evolution.hpp"
#include "src/types/schema_print.hpp"
#include "src/types/schema_text.hpp"
#include "tests/fuzz/expect.hpp"
#include "tests/fuzz/refused.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace swarmbus;
    const std::string text(reinterpret_cast<const char*>(data), size);
    std::vector<std::byte> binary;
    if (fuzzing::refused({SWB_ERR_SCHEMA}, [&] { binary = core::binary_of_text(text); })) return 0;
    fuzzing::refused({SWB_ERR_SCHEMA}, [&] {
        const core::Schema schema(binary);
        const std::string printed = core::fbs_of(schema);
        fuzzing::expect_json(core::json_schema_of(schema));
        try {
            const core::Schema again(core::binary_of_text(printed));
            fuzzing::expect(core::is_same(schema, again), "a schema that is printed makes the same schema",
                            core::find_incompatibility(schema, again).value_or("something was added") + "\n" + printed);
        } catch (const core::Error& error) {
            fuzzing::expect(false, "a schema that is printed makes a schema", printed + "\n" + error.what());
        }
    });
    return 0;
}
