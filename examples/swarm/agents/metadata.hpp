// The metadata of the demo's events: an object of texts and whole numbers. Tasks carry {"kind", "goal", "attempt"}, or
// {"kind", "helps"} if they are advice to another agent.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <swarmbus/events.hpp>

namespace swarm {

using Metadata = std::unique_ptr<swarmbus::ValueT>;

struct MetadataField {
    const char* name;
    std::variant<std::string, std::int64_t> value;
};

Metadata metadata(std::initializer_list<MetadataField> fields);
// For another event. Nothing of nothing.
Metadata copy_of(const swarmbus::Value* metadata);

// All three take nullptr for an event without metadata, and find nothing in what is no object.
const swarmbus::Value* field_of(const swarmbus::Value* metadata, std::string_view name) noexcept;
// "" if there is no such text.
std::string text_of(const swarmbus::Value* metadata, std::string_view name);
// Nothing if there is no such number, or it is negative.
std::optional<std::uint64_t> count_of(const swarmbus::Value* metadata, std::string_view name) noexcept;

}  // namespace swarm
