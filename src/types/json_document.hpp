// A JSON text that was read: what it is, with every number exact. Texts from anywhere.
#pragma once

#include <rapidjson/document.h>

#include <cstddef>
#include <memory>
#include <string_view>

#include "src/types/json_text.hpp"

namespace swarmbus::core {

using JsonValue = rapidjson::Value;

// Whether a number could be read exactly. A whole number beyond 64 bits is not, unless it is a double with just these
// digits; nor is one that is larger than every double.
bool is_exact(const JsonValue& number) noexcept;

// For one thread; keeps its memory from one text to the next.
class JsonDocument {
public:
    JsonDocument();

    // Valid until the next call. Throws SWB_ERR_PAYLOAD with the path and the position of what is no JSON, or nested more
    // deeply than kMaxJsonDepth.
    const JsonValue& parse(std::string_view text);

private:
    static constexpr std::size_t kKeptBytes = 64 << 10;

    std::unique_ptr<std::byte[]> kept_{new std::byte[kKeptBytes]};
    rapidjson::MemoryPoolAllocator<> allocator_{kept_.get(), kKeptBytes};
    rapidjson::Document document_{&allocator_};
};

}  // namespace swarmbus::core
