// A FlatBuffers schema made ready for use: checked, and with everything at hand that verifying, reading and writing
// events by it needs. It comes from a binary schema (.bfbs), whose bytes may be anybody's.
#pragma once

#include <flatbuffers/reflection_generated.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace swarmbus::core {

using reflection::BaseType;

struct SchemaObject;
struct SchemaEnum;

// What one value is. Of a vector or an array: what its elements are.
struct SchemaType {
    BaseType base = BaseType::None;
    BaseType element = BaseType::None;
    std::uint16_t fixed_length = 0;           // of an array
    const SchemaObject* object = nullptr;     // of a table or a struct
    const SchemaEnum* enumeration = nullptr;  // of a number with names, of a union and of its tag
    SchemaType element_type() const noexcept { return {element, BaseType::None, 0, object, enumeration}; }
};

// A name for a number; in a union, for a type.
struct SchemaEnumValue {
    std::string name;
    std::int64_t value = 0;
    SchemaType type;
};

struct SchemaEnum {
    std::string name;
    std::string comment;  // lines; "" if there is none
    bool is_union = false;
    bool is_flags = false;
    BaseType underlying = BaseType::None;
    std::vector<SchemaEnumValue> values;  // by value

    const SchemaEnumValue* find(std::int64_t value) const noexcept;
    const SchemaEnumValue* find(std::string_view value_name) const noexcept;
};

struct SchemaField {
    std::string name;
    std::string comment;
    std::uint16_t id = 0;      // its place in the object's fields
    std::uint16_t offset = 0;  // in the vtable; of a struct: in the struct
    SchemaType type;
    const SchemaField* tag = nullptr;  // of a union, and of a vector of unions: the field that says which
    bool is_tag = false;
    bool required = false, deprecated = false, optional = false;
    bool flexbuffer = false;  // bytes that are a FlexBuffer
    std::int64_t default_integer = 0;
    double default_real = 0;
};

// A table or a struct.
struct SchemaObject {
    std::string name;  // with its namespaces
    std::string comment;
    bool is_struct = false;
    bool is_json_value = false;  // swarmbus.Value: a JSON value of any kind
    std::uint32_t bytes = 0;     // of a struct
    std::uint32_t alignment = 1;
    std::string event;                             // attribute of a table: the type under which it is published; or empty
    std::vector<SchemaField> fields;               // by id
    std::vector<const SchemaField*> widest_first;  // the order that needs least padding
    std::unordered_map<std::string_view, const SchemaField*> by_name;

    // nullptr if there is none.
    const SchemaField* find(std::string_view field_name) const noexcept;
};

// Bytes of a value where it stands: of an offset for what lies elsewhere.
std::size_t inline_bytes(const SchemaType& type) noexcept;
std::size_t inline_alignment(const SchemaType& type) noexcept;
bool is_integer(BaseType type) noexcept;
bool is_signed(BaseType type) noexcept;
bool is_real(BaseType type) noexcept;
inline bool is_scalar(BaseType type) noexcept { return is_integer(type) || is_real(type); }
// As a .fbs file has it, such as "int" or "[string]".
std::string name_of(const SchemaType& type);

class Schema {
public:
    enum class Root { needed, unneeded };

    // The root table is the one of that name, or the schema's own if it is empty. Throws SWB_ERR_SCHEMA with what is wrong.
    explicit Schema(std::span<const std::byte> binary, std::string_view root_table = {}, Root root = Root::needed);
    Schema(const Schema&) = delete;
    Schema& operator=(const Schema&) = delete;

    // There is one, unless it was unneeded.
    const SchemaObject& root() const noexcept { return *root_; }
    const std::string& file_identifier() const noexcept { return file_identifier_; }
    // In the order of the binary schema, which is by name.
    const std::deque<SchemaObject>& objects() const noexcept { return objects_; }
    const std::deque<SchemaEnum>& enums() const noexcept { return enums_; }
    // nullptr if there is none.
    const SchemaObject* find_object(std::string_view name) const noexcept;
    // The .bfbs file, and in it what is not needed for payloads, such as comments.
    std::span<const std::byte> binary() const noexcept;
    const reflection::Schema& reflected() const noexcept;

private:
    std::vector<std::uint64_t> words_;  // the binary schema, aligned
    std::size_t bytes_ = 0;
    std::deque<SchemaObject> objects_;
    std::deque<SchemaEnum> enums_;
    const SchemaObject* root_ = nullptr;
    std::string file_identifier_;
};

// Whether bytes say that they are a binary schema, and not one in text form.
bool is_binary_schema(std::span<const std::byte> schema) noexcept;

// Longest binary schema.
inline constexpr std::size_t kMaxSchemaBytes = 1 << 20;

}  // namespace swarmbus::core
