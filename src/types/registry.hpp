// The registered types of a bus, as a process knows them: schemas made ready once, then found by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "src/life/control_lock.hpp"
#include "src/types/registrations.hpp"
#include "src/types/schema.hpp"

namespace swarmbus::core {

struct RegisteredType {
    Registration registration;
    Schema schema;

    RegisteredType(Registration of, std::span<const std::byte> binary) : registration(std::move(of)), schema(binary, registration.root) {}
};

enum class RegisterOutcome { added, unchanged, replaced };

// Thread-safe.
class Registry {
public:
    Registry(Segment& segment, ControlLock& control) noexcept : segment_(segment), control_(control) {}

    // What is registered for a type by now; nullptr if nothing is. Throws SWB_ERR_SCHEMA if what is in the bus is no
    // schema any more, SWB_ERR_NOT_A_BUS, SWB_ERR_SYSTEM, SWB_ERR_GONE.
    std::shared_ptr<const RegisteredType> find(std::string_view type);

    // The newest registration of each type, by name.
    std::vector<Registration> list();

    // Registers a schema for a type: a new one, or in place of one that it is compatible with. Waits for the control lock.
    // The root table is the schema's own if the name is empty. Throws SWB_ERR_TYPE_NAME, SWB_ERR_SCHEMA,
    // SWB_ERR_INCOMPATIBLE with the field, SWB_ERR_SCHEMAS_FULL, SWB_ERR_NO_SPACE, SWB_ERR_BUSY, and what find() does.
    RegisterOutcome add(std::string_view type, std::span<const std::byte> binary, std::string_view root);
    // The same for each table of the schema that names a type (attribute `event`). None, if one of them is refused.
    std::vector<std::pair<std::string, RegisterOutcome>> add_all(std::span<const std::byte> binary);

    // Under the control lock, by who joins: what every bus knows, if this one lacks some of it.
    void add_standard(const ControlLock::Guard& guard);

private:
    struct Known {
        std::size_t newest;  // in all_
        std::shared_ptr<const RegisteredType> ready;
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view type) const noexcept { return std::hash<std::string_view>()(type); }
    };
    struct Addition {
        std::string type, root;
    };
    void refresh();
    std::shared_ptr<const RegisteredType> find_known(std::string_view type);
    RegisterOutcome check(const Addition& addition, std::span<const std::byte> binary);
    std::vector<std::pair<std::string, RegisterOutcome>> add(std::vector<Addition> additions, std::span<const std::byte> binary);
    void append(const Addition& addition, std::span<const std::byte> binary);

    Segment& segment_;
    ControlLock& control_;
    std::mutex mutex_;
    std::vector<Registration> all_;
    std::unordered_map<std::string, Known, Hash, std::equal_to<>> known_;
};

}  // namespace swarmbus::core
