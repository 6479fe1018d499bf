#include "src/types/evolution.hpp"

#include <bit>
#include <set>
#include <utility>
#include <vector>

namespace swarmbus::core {

namespace {

class Comparison {
public:
    // `exact`: nothing may be added either.
    explicit Comparison(bool exact) : exact_(exact) {}

    bool schemas(const Schema& before, const Schema& next) {
        if (before.root().name != next.root().name)
            return fault("the root table is " + next.root().name + ", it was " + before.root().name);
        if (before.file_identifier() != next.file_identifier()) {
            return fault("the file identifier is \"" + next.file_identifier() + "\", it was \"" + before.file_identifier() + "\"");
        }
        await(before.root(), next.root());
        for (std::size_t i = 0; i < awaited_.size(); ++i) {
            if (!objects(*awaited_[i].first, *awaited_[i].second)) return false;
        }
        return true;
    }
    const std::string& fault_found() const noexcept { return fault_; }

private:
    bool fault(std::string what) {
        fault_ = std::move(what);
        return false;
    }

    // Later and not within each other: tables may lead on to thousands.
    void await(const SchemaObject& before, const SchemaObject& next) {
        if (compared_.insert({&before, &next}).second) awaited_.emplace_back(&before, &next);
    }

    bool objects(const SchemaObject& before, const SchemaObject& next) {
        if (before.name != next.name) return fault(before.name + " is now " + next.name);
        if (before.is_struct != next.is_struct) return fault(before.name + " is now a " + (next.is_struct ? "struct" : "table"));
        for (const SchemaField& field : before.fields) {
            const std::string where = before.name + "." + field.name;
            if (field.id >= next.fields.size()) return fault(where + " is gone");
            if (!fields(field, next.fields[field.id], where)) return false;
        }
        for (std::size_t id = before.fields.size(); id < next.fields.size(); ++id) {
            const std::string where = next.name + "." + next.fields[id].name;
            if (exact_) return fault(where + " is new");
            if (before.is_struct) return fault(where + " is new, and a struct can't grow");
            if (next.fields[id].required) return fault(where + " is new and required, which older events lack");
        }
        if (before.is_struct && (before.bytes != next.bytes || before.alignment != next.alignment)) {
            return fault(before.name + " has another size or alignment");
        }
        return true;
    }

    bool fields(const SchemaField& before, const SchemaField& next, const std::string& where) {
        if (before.name != next.name) return fault(where + " has given its place to " + next.name);
        if (name_of(before.type) != name_of(next.type))
            return fault(where + " is of type " + name_of(next.type) + ", it was " + name_of(before.type));
        if (!types(before.type, next.type)) return false;
        if (before.type.base != next.type.base || before.type.element != next.type.element) return fault(where + " is of another kind");
        if (before.offset != next.offset) return fault(where + " stands at another place");
        const bool scalar = is_scalar(before.type.base);
        if ((scalar && before.optional != next.optional) || before.default_integer != next.default_integer ||
            std::bit_cast<std::uint64_t>(before.default_real) != std::bit_cast<std::uint64_t>(next.default_real)) {
            return fault(where + " has another default");
        }
        if (before.required != next.required)
            return fault(where + (next.required ? " is required, which it was not" : " is not required any more, which readers rely on"));
        if (before.flexbuffer != next.flexbuffer) return fault(where + " is bytes and FlexBuffer in turn");
        if (before.deprecated != next.deprecated && (exact_ || before.deprecated))
            return fault(where + (next.deprecated ? " is deprecated" : " is in use again"));
        return true;
    }

    bool types(const SchemaType& before, const SchemaType& next) {
        if (before.object != nullptr && next.object != nullptr) await(*before.object, *next.object);
        return before.enumeration == nullptr || next.enumeration == nullptr || enums(*before.enumeration, *next.enumeration);
    }

    bool enums(const SchemaEnum& before, const SchemaEnum& next) {
        if (!compared_.insert({&before, &next}).second) return true;
        if (before.underlying != next.underlying || before.is_union != next.is_union || before.is_flags != next.is_flags) {
            return fault(before.name + " is of another kind");
        }
        for (const SchemaEnumValue& value : before.values) {
            const std::string where = before.name + "." + value.name;
            const SchemaEnumValue* now = next.find(value.name);
            if (now == nullptr) return fault(where + " is gone");
            if (now->value != value.value)
                return fault(where + " is " + std::to_string(now->value) + ", it was " + std::to_string(value.value));
            if (name_of(now->type) != name_of(value.type))
                return fault(where + " is a " + name_of(now->type) + ", it was a " + name_of(value.type));
            if (!types(value.type, now->type)) return false;
        }
        return !exact_ || before.values.size() == next.values.size() || fault(before.name + " has new values");
    }

    const bool exact_;
    std::set<std::pair<const void*, const void*>> compared_;  // and awaited; tables may hold themselves
    std::vector<std::pair<const SchemaObject*, const SchemaObject*>> awaited_;
    std::string fault_;
};

}  // namespace

std::optional<std::string> find_incompatibility(const Schema& before, const Schema& next) {
    Comparison comparison(false);
    if (comparison.schemas(before, next)) return std::nullopt;
    return comparison.fault_found();
}

bool is_same(const Schema& one, const Schema& other) { return Comparison(true).schemas(one, other); }

}  // namespace swarmbus::core
