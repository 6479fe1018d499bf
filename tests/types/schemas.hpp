// The schemas of the tests, and payloads from and to JSON by them.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/error.hpp"
#include "src/types/payload_from_json.hpp"
#include "src/types/payload_to_json.hpp"
#include "src/types/schema.hpp"
#include "src/types/verify.hpp"

namespace swarmbus::core {

using Bytes = std::vector<std::byte>;

inline Bytes bytes_of_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

// Those of tests/types and of schemas/, as flatc made them.
inline Bytes everything_binary() { return bytes_of_file(SWARMBUS_TEST_SCHEMAS "/everything.bfbs"); }
inline Bytes events_binary() { return bytes_of_file(SWARMBUS_SCHEMAS "/events.bfbs"); }

inline const Schema& everything() {
    static const Schema schema(everything_binary());
    return schema;
}

inline Bytes payload_of(const Schema& schema, std::string_view json) {
    PayloadFromJson from_json;
    const auto payload = from_json.convert(schema, json);
    return {payload.begin(), payload.end()};
}

// After verifying, in a copy, as at the edges.
inline std::string json_of(const Schema& schema, std::span<const std::byte> payload) {
    check_payload(schema, payload);
    JsonText json;
    append_json(json, schema, payload);
    return std::string(json.view());
}

inline std::string there_and_back(std::string_view json, const Schema& schema = everything()) {
    return json_of(schema, payload_of(schema, json));
}

// What refuses it; "" if nothing does.
inline std::string refusal_of(std::string_view json, const Schema& schema = everything()) {
    try {
        payload_of(schema, json);
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), SWB_ERR_PAYLOAD) << e.what();
        return e.what();
    }
    return {};
}

}  // namespace swarmbus::core
