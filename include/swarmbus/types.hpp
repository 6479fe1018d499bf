// Event types with schemas.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <swarmbus/error.hpp>

namespace swarmbus {

// A schema that is registered for a type of a bus.
struct RegisteredType {
    std::string name;               // "agent.status.changed"
    std::string root;               // the table that is the payload, with its namespaces
    std::vector<std::byte> schema;  // binary (.bfbs)
    std::uint64_t hash;             // of schema and root
    std::uint32_t version;          // 1 for the first, one more for each that took its place
    std::uint64_t registered_ns;    // wall clock, since 1970

    explicit RegisteredType(const swb_type& raw)
        : name(raw.name),
          root(raw.root),
          schema(static_cast<const std::byte*>(raw.schema), static_cast<const std::byte*>(raw.schema) + raw.schema_bytes),
          hash(raw.hash),
          version(raw.version),
          registered_ns(raw.registered_ns) {}
};

namespace detail {

// Those of the bus, or the one of that name.
inline std::vector<RegisteredType> types_of(swb_bus* bus, const char* name) {
    std::vector<RegisteredType> types;
    const auto add = [](const swb_type* type, void* list) { static_cast<std::vector<RegisteredType>*>(list)->emplace_back(*type); };
    check(swb_types(bus, name, add, &types));
    return types;
}

inline bool has_type(swb_bus* bus, const char* name) {
    const swb_result result = swb_types(
        bus, name, [](const swb_type*, void*) {}, nullptr);
    if (result == SWB_ERR_NO_SCHEMA) return false;
    check(result);
    return true;
}

}  // namespace detail

}  // namespace swarmbus
