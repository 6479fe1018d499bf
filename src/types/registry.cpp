#include "src/types/registry.hpp"

#include <algorithm>
#include <utility>

#include <swarmbus/events_bfbs_generated.h>
#include <swarmbus/standard_types.hpp>

#include "src/clock/clock.hpp"
#include "src/error.hpp"
#include "src/routing/name.hpp"
#include "src/routing/pattern.hpp"
#include "src/types/evolution.hpp"

namespace swarmbus::core {

namespace {

std::span<const std::byte> standard_schema() {
    using Binary = swarmbus::events::AgentCreatedBinarySchema;
    return std::as_bytes(std::span(Binary::data(), Binary::size()));
}

void check_type_to_register(std::string_view type) {
    check_type(type);
    if (type.starts_with(kOwnDomain)) {
        throw Error(SWB_ERR_TYPE_NAME, "type '" + std::string(type) + "': what begins with '" + std::string(kOwnDomain) +
                                           "' is the bus's own; take another domain");
    }
}

}  // namespace

std::shared_ptr<const RegisteredType> Registry::find(std::string_view type) {
    const std::lock_guard lock(mutex_);
    refresh();
    return find_known(type);
}

std::vector<Registration> Registry::list() {
    const std::lock_guard lock(mutex_);
    refresh();
    std::vector<Registration> newest;
    for (const auto& [type, known] : known_) newest.push_back(all_[known.newest]);
    std::ranges::sort(newest, {}, &Registration::type);
    return newest;
}

void Registry::refresh() {
    if (count_registrations(segment_) == all_.size()) return;
    for (Registration& fresh : read_registrations(segment_, static_cast<std::uint32_t>(all_.size()))) {
        known_[fresh.type] = {all_.size(), nullptr};
        all_.push_back(std::move(fresh));
    }
}

std::shared_ptr<const RegisteredType> Registry::find_known(std::string_view type) {
    const auto found = known_.find(type);
    if (found == known_.end()) return nullptr;
    Known& known = found->second;
    if (!known.ready) {
        const Registration& registration = all_[known.newest];
        known.ready = std::make_shared<const RegisteredType>(registration, read_schema(segment_, registration));
    }
    return known.ready;
}

RegisterOutcome Registry::add(std::string_view type, std::span<const std::byte> binary, std::string_view root) {
    check_type_to_register(type);
    const Schema schema(binary, root);
    return add({{std::string(type), schema.root().name}}, binary).front().second;
}

std::vector<std::pair<std::string, RegisterOutcome>> Registry::add_all(std::span<const std::byte> binary) {
    const Schema schema(binary, {}, Schema::Root::unneeded);
    std::vector<Addition> additions;
    for (const SchemaObject& object : schema.objects()) {
        if (object.event.empty()) continue;
        check_type_to_register(object.event);
        const auto before = std::ranges::find(additions, object.event, &Addition::type);
        if (before != additions.end()) {
            throw Error(SWB_ERR_SCHEMA, "schema: " + before->root + " and " + object.name + " are both published under '" + object.event +
                                            "'; a type has one table");
        }
        additions.push_back({object.event, object.name});
    }
    if (additions.empty())
        throw Error(
            SWB_ERR_SCHEMA,
            "schema: no table names the type of its events; write (event: \"domain.entity.action\") behind its name, or give the type");
    return add(std::move(additions), binary);
}

std::vector<std::pair<std::string, RegisterOutcome>> Registry::add(std::vector<Addition> additions, std::span<const std::byte> binary) {
    const ControlLock::Guard guard = control_.acquire();
    const std::lock_guard lock(mutex_);
    refresh();
    std::vector<std::pair<std::string, RegisterOutcome>> outcomes;
    for (const Addition& addition : additions) outcomes.emplace_back(addition.type, check(addition, binary));
    for (std::size_t i = 0; i < additions.size(); ++i) {
        if (outcomes[i].second != RegisterOutcome::unchanged) append(additions[i], binary);
    }
    return outcomes;
}

RegisterOutcome Registry::check(const Addition& addition, std::span<const std::byte> binary) {
    const std::shared_ptr<const RegisteredType> before = find_known(addition.type);
    if (!before) return RegisterOutcome::added;
    const Schema next(binary, addition.root);
    if (is_same(before->schema, next)) return RegisterOutcome::unchanged;
    if (const auto fault = find_incompatibility(before->schema, next)) {
        throw Error(SWB_ERR_INCOMPATIBLE, "type '" + addition.type + "' is registered with a schema that this one can't replace: " +
                                              *fault + ". Add fields at the end of tables, or use another type");
    }
    return RegisterOutcome::replaced;
}

void Registry::append(const Addition& addition, std::span<const std::byte> binary) {
    Registration fresh;
    fresh.type = addition.type;
    fresh.root = addition.root;
    fresh.hash = content_hash(binary, addition.root);
    const auto known = known_.find(addition.type);
    fresh.version = known == known_.end() ? 1 : all_[known->second.newest].version + 1;
    fresh.registered_ns = wall_clock_ns();
    fresh = append_registration(segment_, all_, std::move(fresh), binary);
    known_[fresh.type] = {all_.size(), nullptr};
    all_.push_back(std::move(fresh));
}

void Registry::add_standard(const ControlLock::Guard&) {
    const std::lock_guard lock(mutex_);
    refresh();
    for (const StandardType& standard : kStandardTypes) {
        if (!known_.contains(std::string_view(standard.type))) append({standard.type, standard.root}, standard_schema());
    }
}

}  // namespace swarmbus::core
