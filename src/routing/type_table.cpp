#include "src/routing/type_table.hpp"

#include <algorithm>
#include <cstring>

#include "src/routing/name.hpp"
#include "src/routing/routes.hpp"
#include "src/words/table_words.hpp"

namespace swarmbus::core {

std::uint32_t types_in_use(Segment& segment) noexcept {
    return std::min(words::load_published(segment.header().types_used), segment.plan().max_types);
}

std::string_view type_name(Segment& segment, std::uint32_t type) noexcept {
    if (type >= segment.plan().max_types) return {};
    swb_l_type& entry = segment.type(type);
    const std::uint32_t bytes = words::load_published(entry.name_bytes);
    return bytes < sizeof entry.name ? std::string_view(entry.name, bytes) : std::string_view{};
}

std::optional<std::uint32_t> find_type(Segment& segment, std::string_view name) noexcept {
    const std::uint64_t hash = hash_name(name);
    const std::uint32_t used = types_in_use(segment);
    for (std::uint32_t type = 0; type < used; ++type) {
        if (segment.type(type).hash == hash && type_name(segment, type) == name) return type;
    }
    return std::nullopt;
}

std::optional<std::uint32_t> enter_type(Segment& segment, std::string_view name) {
    const std::uint32_t type = types_in_use(segment);
    if (type >= segment.plan().max_types) return std::nullopt;
    store_type_route(segment, type, match_inboxes(segment, name));
    swb_l_type& entry = segment.type(type);
    std::memset(entry.name, 0, sizeof entry.name);
    std::memcpy(entry.name, name.data(), name.size());
    entry.hash = hash_name(name);
    words::store_published(entry.name_bytes, static_cast<std::uint32_t>(name.size()));
    words::store_published(segment.header().types_used, type + 1);
    return type;
}

std::uint32_t finish_type_table(Segment& segment) noexcept {
    std::uint32_t used = types_in_use(segment);
    // The count is stored after the name: one entry may be whole and not yet counted.
    if (used < segment.plan().max_types && !type_name(segment, used).empty()) ++used;
    words::store_published(segment.header().types_used, used);
    return used;
}

}  // namespace swarmbus::core
