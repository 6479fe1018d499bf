#include "src/types/schema_parts.hpp"

#include <cstddef>
#include <set>

namespace swarmbus::core {

namespace {

class Walk {
public:
    SchemaParts parts(const SchemaObject& root) {
        object(root);
        // Not within each other: tables may lead on to thousands.
        for (std::size_t i = 0; i < tables_.size(); ++i) fields(*tables_[i]);
        parts_.objects = std::move(structs_);
        parts_.objects.insert(parts_.objects.end(), tables_.begin(), tables_.end());
        return std::move(parts_);
    }

private:
    void object(const SchemaObject& object) {
        if (!seen_.insert(&object).second) return;
        if (!object.is_struct) return tables_.push_back(&object);
        fields(object);
        structs_.push_back(&object);
    }
    void fields(const SchemaObject& object) {
        for (const SchemaField& field : object.fields) type(field.type);
    }
    void type(const SchemaType& type) {
        if (type.object != nullptr) object(*type.object);
        if (type.enumeration == nullptr || !seen_.insert(type.enumeration).second) return;
        parts_.enums.push_back(type.enumeration);
        for (const SchemaEnumValue& value : type.enumeration->values) {
            if (value.type.object != nullptr) object(*value.type.object);
        }
    }

    std::set<const void*> seen_;
    std::vector<const SchemaObject*> structs_, tables_;
    SchemaParts parts_;
};

}  // namespace

SchemaParts parts_of(const Schema& schema) { return Walk().parts(schema.root()); }

}  // namespace swarmbus::core
