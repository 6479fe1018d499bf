// FlexBuffers from anywhere, made JSON: refused, or printed as JSON.
#include <cstddef>
#include <cstdint>
#include <span>

#include "src/types/flex_json.hpp"
#include "tests/fuzz/expect.hpp"
#include "tests/fuzz/refused.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace swarmbus;
    core::JsonText json;
    if (!fuzzing::refused({SWB_ERR_PAYLOAD}, [&] { core::append_flexbuffer(json, std::as_bytes(std::span(data, size)), nullptr); })) {
        fuzzing::expect_json(json.view());
    }
    return 0;
}
