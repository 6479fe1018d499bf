#include "src/types/schema.hpp"

#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <unordered_set>
#include <utility>

#include "src/error.hpp"
#include "src/types/utf8.hpp"

namespace swarmbus::core {

namespace {

struct BaseTypeFacts {
    const char* name;
    std::uint8_t bytes;  // where it stands
};
// By reflection::BaseType.
constexpr std::array<BaseTypeFacts, reflection::MaxBaseType> kBaseTypes = {{{"none", 0},
                                                                            {"utype", 1},
                                                                            {"bool", 1},
                                                                            {"byte", 1},
                                                                            {"ubyte", 1},
                                                                            {"short", 2},
                                                                            {"ushort", 2},
                                                                            {"int", 4},
                                                                            {"uint", 4},
                                                                            {"long", 8},
                                                                            {"ulong", 8},
                                                                            {"float", 4},
                                                                            {"double", 8},
                                                                            {"string", 4},
                                                                            {"vector", 4},
                                                                            {"obj", 4},
                                                                            {"union", 4},
                                                                            {"array", 0}}};

constexpr std::size_t kMaxAlignment = 8;  // of a payload in a slot
constexpr std::size_t kMaxFields = 4096;  // of one object
constexpr std::size_t kMaxStructBytes = 65'535;
constexpr std::size_t kMaxTableBytes = 65'535 - sizeof(flatbuffers::soffset_t);  // as its vtable can say
constexpr int kMaxStructDepth = 32;

[[noreturn]] void fail(const std::string& what) { throw Error(SWB_ERR_SCHEMA, "schema: " + what); }

std::string text_of(const flatbuffers::String* text) { return text != nullptr ? text->str() : std::string(); }

// What can stand between quotes in schemas and in generated code as it is.
bool is_plain(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
}

// Names of fields and values become keys of JSON and words of generated code.
bool is_identifier(std::string_view name, bool dotted) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    bool first = true;
    for (const char c : name) {
        if (dotted && c == '.' && !first) {
            first = true;
            continue;
        }
        if (!letter(c) && (first || c < '0' || c > '9')) return false;
        first = false;
    }
    return !name.empty() && !first;
}

void check_name(std::string_view name, bool dotted, const char* of_what) {
    if (!is_identifier(name, dotted)) fail(std::string(of_what) + " has a name that is none: \"" + std::string(name.substr(0, 80)) + "\"");
}

bool has_attribute(const flatbuffers::Vector<flatbuffers::Offset<reflection::KeyValue>>* attributes, const char* key,
                   std::string* value = nullptr) {
    if (attributes == nullptr) return false;
    for (const reflection::KeyValue* attribute : *attributes) {
        if (attribute->key()->string_view() != key) continue;
        if (value != nullptr) *value = text_of(attribute->value());
        return true;
    }
    return false;
}

// Reads the binary schema into objects and enums that lie ready, all still empty, at the same indices.
class Reader {
public:
    Reader(const reflection::Schema& schema, std::size_t bytes, std::deque<SchemaObject>& objects, std::deque<SchemaEnum>& enums)
        : schema_(schema), objects_(objects), enums_(enums), comment_bytes_left_(bytes) {}

    void read() {
        objects_.resize(schema_.objects()->size());
        enums_.resize(schema_.enums()->size());
        // First what others need of them.
        for (flatbuffers::uoffset_t i = 0; i < schema_.objects()->size(); ++i) read_facts(*schema_.objects()->Get(i), objects_[i]);
        for (flatbuffers::uoffset_t i = 0; i < schema_.enums()->size(); ++i) read_facts(*schema_.enums()->Get(i), enums_[i]);
        std::unordered_set<std::string_view> names;
        for (const SchemaObject& object : objects_) check_first(names, object.name, object.name);
        for (const SchemaEnum& enumeration : enums_) check_first(names, enumeration.name, enumeration.name);
        for (flatbuffers::uoffset_t i = 0; i < schema_.enums()->size(); ++i) read_values(*schema_.enums()->Get(i), enums_[i]);
        for (flatbuffers::uoffset_t i = 0; i < schema_.objects()->size(); ++i) read_fields(*schema_.objects()->Get(i), objects_[i]);
        for (SchemaObject& object : objects_) {
            if (object.is_struct) check_struct(object, 0);
            object.is_json_value = object.name == "swarmbus.Value" && is_json_value(object);
        }
    }

private:
    // The lines one behind the other, without the space that most begin with. All comments together are no longer than the
    // schema, unless it refers to the same text many times, which could be endless.
    std::string comment_of(const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>* lines) {
        std::string comment;
        if (lines == nullptr) return comment;
        for (const flatbuffers::String* line : *lines) {
            if (line->size() >= comment_bytes_left_) fail("its comments are longer than itself");
            comment_bytes_left_ -= line->size() + 1;
            const std::string_view text = line->string_view();
            if (!is_utf8(text) || text.find_first_of("\r\n") != std::string_view::npos) fail("a comment is no line of UTF-8");
            comment += (comment.empty() ? "" : "\n") + std::string(text.starts_with(' ') ? text.substr(1) : text);
        }
        return comment;
    }

    static void check_first(std::unordered_set<std::string_view>& names, std::string_view name, const std::string& where) {
        if (!names.insert(name).second) fail(where + ": there twice");
    }

    void read_facts(const reflection::Object& from, SchemaObject& object) {
        object.name = text_of(from.name());
        check_name(object.name, true, "a table");
        object.comment = comment_of(from.documentation());
        object.is_struct = from.is_struct();
        if (from.minalign() < 1 || from.bytesize() < 0) fail(object.name + ": size or alignment is none");
        object.alignment = static_cast<std::uint32_t>(from.minalign());
        object.bytes = static_cast<std::uint32_t>(from.bytesize());
        if (object.is_struct) {
            if (object.alignment > kMaxAlignment || (object.alignment & (object.alignment - 1)) != 0) {
                fail(object.name + ": structs are aligned to at most 8 bytes, this one to " + std::to_string(object.alignment));
            }
            if (object.bytes == 0 || object.bytes > kMaxStructBytes || object.bytes % object.alignment != 0)
                fail(object.name + ": its size is none");
        }
        has_attribute(from.attributes(), "event", &object.event);
        if (!is_plain(object.event)) fail(object.name + ": what it names as the type of its events is no name");
    }

    void read_facts(const reflection::Enum& from, SchemaEnum& enumeration) {
        enumeration.name = text_of(from.name());
        check_name(enumeration.name, true, "an enum");
        enumeration.comment = comment_of(from.documentation());
        enumeration.is_union = from.is_union();
        enumeration.is_flags = has_attribute(from.attributes(), "bit_flags");
        enumeration.underlying = base_type(*from.underlying_type(), reflection::Type::VT_BASE_TYPE, enumeration.name);
        if (!is_integer(enumeration.underlying)) fail(enumeration.name + ": its values are no whole numbers");
    }

    void read_values(const reflection::Enum& from, SchemaEnum& enumeration) {
        for (const reflection::EnumVal* value : *from.values()) {
            SchemaEnumValue read{text_of(value->name()), value->value(), {}};
            check_name(read.name, false, "a value of an enum");
            if (enumeration.is_union && read.value != 0) {
                if (value->union_type() == nullptr) fail(enumeration.name + "." + read.name + ": it has no type");
                read.type = read_type(*value->union_type(), enumeration.name + "." + read.name);
                const bool string = read.type.base == BaseType::String;
                if (!string && read.type.base != BaseType::Obj)
                    fail(enumeration.name + "." + read.name + ": a union holds tables, structs and strings");
            }
            enumeration.values.push_back(std::move(read));
        }
        std::stable_sort(enumeration.values.begin(), enumeration.values.end(),
                         [](const auto& a, const auto& b) { return a.value < b.value; });
        std::unordered_set<std::string_view> names;
        for (const SchemaEnumValue& value : enumeration.values) check_first(names, value.name, enumeration.name + "." + value.name);
    }

    // As a number: not every number is a BaseType.
    static BaseType base_type(const reflection::Type& type, flatbuffers::voffset_t which, const std::string& where) {
        const auto number = reinterpret_cast<const flatbuffers::Table&>(type).GetField<std::int8_t>(which, 0);
        if (number <= BaseType::None || number >= BaseType::MaxBaseType) fail(where + ": its type is none");
        return static_cast<BaseType>(number);
    }

    SchemaType read_type(const reflection::Type& from, const std::string& where) const {
        SchemaType type{base_type(from, reflection::Type::VT_BASE_TYPE, where), BaseType::None, from.fixed_length(), nullptr, nullptr};
        const bool many = type.base == BaseType::Vector || type.base == BaseType::Array;
        if (many) type.element = base_type(from, reflection::Type::VT_ELEMENT, where);
        if (type.element == BaseType::Vector || type.element == BaseType::Array) fail(where + ": its elements are of no type");
        const BaseType single = many ? type.element : type.base;
        if (type.base == BaseType::Array && (type.fixed_length == 0 || (!is_scalar(single) && single != BaseType::Obj))) {
            fail(where + ": an array holds numbers or structs, and at least one");
        }
        const auto index = static_cast<std::size_t>(from.index());
        if (single == BaseType::Obj) {
            if (from.index() < 0 || index >= objects_.size()) fail(where + ": its table is not in the schema");
            type.object = &objects_[index];
        } else if (single == BaseType::Union || single == BaseType::UType || (is_integer(single) && from.index() >= 0)) {
            if (from.index() < 0 || index >= enums_.size()) fail(where + ": its enum is not in the schema");
            type.enumeration = &enums_[index];
            const bool of_union = single == BaseType::Union || single == BaseType::UType;
            if (type.enumeration->is_union != of_union || (of_union && type.enumeration->underlying != BaseType::UType) ||
                (!of_union && type.enumeration->underlying != single)) {
                fail(where + ": its enum is of another kind");
            }
        }
        return type;
    }

    void read_fields(const reflection::Object& from, SchemaObject& object) {
        const std::size_t count = from.fields()->size();
        if (count > kMaxFields) fail(object.name + ": more than " + std::to_string(kMaxFields) + " fields");
        object.fields.resize(count);
        for (const reflection::Field* field : *from.fields()) {
            const std::string where = object.name + "." + text_of(field->name());
            check_name(text_of(field->name()), false, "a field");
            if (field->id() >= count || !object.fields[field->id()].name.empty()) fail(where + ": its id is not its own");
            SchemaField& read = object.fields[field->id()];
            read.name = text_of(field->name());
            read.comment = comment_of(field->documentation());
            read.id = field->id();
            read.offset = field->offset();
            read.type = read_type(*field->type(), where);
            read.is_tag = read.type.base == BaseType::UType || read.type.element == BaseType::UType;
            read.required = field->required();
            read.deprecated = field->deprecated();
            read.optional = field->optional();
            read.default_integer = field->default_integer();
            read.default_real = field->default_real();
            read.flexbuffer = read.type.element == BaseType::UByte && has_attribute(field->attributes(), "flexbuffer");
            if (!object.is_struct) {
                if (read.offset != 4 + 2 * read.id) fail(where + ": it is not where its id says");
                if (read.type.base == BaseType::Array) fail(where + ": only structs hold arrays");
            }
        }
        for (SchemaField& field : object.fields) {
            if (!object.by_name.emplace(field.name, &field).second) fail(object.name + "." + field.name + ": there twice");
            const bool of_union = field.type.base == BaseType::Union || field.type.element == BaseType::Union;
            if (!of_union) continue;
            const SchemaField* tag = field.id > 0 ? &object.fields[field.id - 1u] : nullptr;
            const bool single = field.type.base == BaseType::Union;
            if (tag == nullptr || tag->type.enumeration != field.type.enumeration ||
                tag->type.base != (single ? BaseType::UType : BaseType::Vector) || (!single && tag->type.element != BaseType::UType)) {
                fail(object.name + "." + field.name + ": the field before it does not tell its type");
            }
            field.tag = tag;
        }
        std::size_t bytes = 0;
        for (const SchemaField& field : object.fields) {
            object.widest_first.push_back(&field);
            bytes += inline_bytes(field.type) + inline_alignment(field.type) - 1;
        }
        if (!object.is_struct && bytes > kMaxTableBytes) {
            fail(object.name + ": its fields take " + std::to_string(bytes) + " bytes; a FlatBuffer's table has at most " +
                 std::to_string(kMaxTableBytes) + ", and vectors and tables lie outside of it");
        }
        std::stable_sort(object.widest_first.begin(), object.widest_first.end(),
                         [](const auto* a, const auto* b) { return inline_alignment(a->type) > inline_alignment(b->type); });
    }

    // As schemas/value.fbs has it. By what the fields are, not by the names of their types, which anything may have.
    static bool is_json_value(const SchemaObject& object) {
        struct Expected {
            std::string_view name;
            BaseType base;
            BaseType element = BaseType::None;
        };
        constexpr Expected kFields[] = {{"kind", BaseType::UByte},
                                        {"boolean", BaseType::Bool},
                                        {"integer", BaseType::Long},
                                        {"unsigned_integer", BaseType::ULong},
                                        {"real", BaseType::Double},
                                        {"text", BaseType::String},
                                        {"items", BaseType::Vector, BaseType::Obj},
                                        {"name", BaseType::String}};
        return !object.is_struct && std::equal(object.fields.begin(), object.fields.end(), std::begin(kFields), std::end(kFields),
                                               [&](const SchemaField& field, const Expected& expected) {
                                                   return field.name == expected.name && field.type.base == expected.base &&
                                                          field.type.element == expected.element &&
                                                          (field.type.object == nullptr || field.type.object == &object);
                                               });
    }

    // Its fields lie within it, aligned, one behind the other, and none holds itself. Returns how many structs lie within
    // each other.
    int check_struct(const SchemaObject& object, int depth) {
        if (depth > kMaxStructDepth) fail(object.name + ": it holds itself");
        if (const auto known = struct_depths_.find(&object); known != struct_depths_.end()) return known->second;
        std::size_t end = 0;
        int own_depth = 1;
        for (const SchemaField& field : object.fields) {
            const std::string where = object.name + "." + field.name;
            const BaseType single = field.type.base == BaseType::Array ? field.type.element : field.type.base;
            const bool inner = single == BaseType::Obj && field.type.object->is_struct;
            if (!is_scalar(single) && !inner) fail(where + ": a struct holds numbers and structs");
            if (inner) own_depth = std::max(own_depth, check_struct(*field.type.object, depth + 1) + 1);
            const std::size_t alignment = inline_alignment(field.type);
            if (field.offset < end || alignment > object.alignment || field.offset % alignment != 0) fail(where + ": it is misplaced");
            end = field.offset + inline_bytes(field.type);
        }
        if ((end + object.alignment - 1) / object.alignment * object.alignment != object.bytes)
            fail(object.name + ": it is not as long as its fields");
        if (own_depth > kMaxStructDepth)
            fail(object.name + ": more than " + std::to_string(kMaxStructDepth) + " structs lie within each other");
        struct_depths_[&object] = own_depth;
        return own_depth;
    }

    const reflection::Schema& schema_;
    std::deque<SchemaObject>& objects_;
    std::deque<SchemaEnum>& enums_;
    std::size_t comment_bytes_left_;
    std::unordered_map<const SchemaObject*, int> struct_depths_;  // of those that were checked
};

}  // namespace

bool is_integer(BaseType type) noexcept { return type >= BaseType::UType && type <= BaseType::ULong; }
bool is_real(BaseType type) noexcept { return type == BaseType::Float || type == BaseType::Double; }
bool is_signed(BaseType type) noexcept {
    return type == BaseType::Byte || type == BaseType::Short || type == BaseType::Int || type == BaseType::Long;
}

std::size_t inline_bytes(const SchemaType& type) noexcept {
    if (type.base == BaseType::Array) return type.fixed_length * inline_bytes(type.element_type());
    if (type.base == BaseType::Obj && type.object->is_struct) return type.object->bytes;
    return kBaseTypes[type.base].bytes;
}

std::size_t inline_alignment(const SchemaType& type) noexcept {
    if (type.base == BaseType::Array) return inline_alignment(type.element_type());
    if (type.base == BaseType::Obj && type.object->is_struct) return type.object->alignment;
    return kBaseTypes[type.base].bytes;
}

std::string name_of(const SchemaType& type) {
    if (type.base == BaseType::Vector) return "[" + name_of(type.element_type()) + "]";
    if (type.base == BaseType::Array) return "[" + name_of(type.element_type()) + ":" + std::to_string(type.fixed_length) + "]";
    if (type.object != nullptr) return type.object->name;
    if (type.enumeration != nullptr) return type.enumeration->name;
    return kBaseTypes[type.base].name;
}

const SchemaEnumValue* SchemaEnum::find(std::int64_t value) const noexcept {
    const auto found =
        std::lower_bound(values.begin(), values.end(), value, [](const auto& v, std::int64_t wanted) { return v.value < wanted; });
    return found != values.end() && found->value == value ? &*found : nullptr;
}

const SchemaEnumValue* SchemaEnum::find(std::string_view value_name) const noexcept {
    const auto found = std::find_if(values.begin(), values.end(), [&](const auto& v) { return v.name == value_name; });
    return found != values.end() ? &*found : nullptr;
}

const SchemaField* SchemaObject::find(std::string_view field_name) const noexcept {
    const auto found = by_name.find(field_name);
    return found != by_name.end() ? found->second : nullptr;
}

Schema::Schema(std::span<const std::byte> binary, std::string_view root_table, Root root) : bytes_(binary.size()) {
    if (bytes_ > kMaxSchemaBytes) fail(std::to_string(bytes_) + " bytes; at most " + std::to_string(kMaxSchemaBytes) + " are allowed");
    if (bytes_ < 8) fail("this is no binary schema (.bfbs)");
    words_.resize((bytes_ + 7) / 8);
    std::memcpy(words_.data(), binary.data(), bytes_);
    flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(words_.data()), bytes_, 64,
                                   static_cast<flatbuffers::uoffset_t>(bytes_));
    if (!reflection::VerifySchemaBuffer(verifier)) fail("this is no binary schema (.bfbs)");
    Reader(reflected(), bytes_, objects_, enums_).read();
    if (!root_table.empty()) {
        root_ = find_object(root_table);
        if (root_ == nullptr) fail("it has no table " + std::string(root_table));
    } else if (reflected().root_table() != nullptr) {
        root_ = find_object(reflected().root_table()->name()->string_view());
    }
    if (root_ == nullptr && root == Root::needed) fail("it has no root table; name one");
    if (root_ != nullptr && root_->is_struct) fail(root_->name + " is a struct; an event is a table");
    file_identifier_ = text_of(reflected().file_ident());
    if (!file_identifier_.empty() && (file_identifier_.size() != flatbuffers::kFileIdentifierLength || !is_plain(file_identifier_)))
        fail("its file identifier is no four characters");
}

const SchemaObject* Schema::find_object(std::string_view name) const noexcept {
    const auto found = std::find_if(objects_.begin(), objects_.end(), [&](const auto& object) { return object.name == name; });
    return found != objects_.end() ? &*found : nullptr;
}

std::span<const std::byte> Schema::binary() const noexcept { return {reinterpret_cast<const std::byte*>(words_.data()), bytes_}; }
const reflection::Schema& Schema::reflected() const noexcept { return *reflection::GetSchema(words_.data()); }

bool is_binary_schema(std::span<const std::byte> schema) noexcept {
    return schema.size() >= 8 && std::memcmp(schema.data() + 4, reflection::SchemaIdentifier(), flatbuffers::kFileIdentifierLength) == 0;
}

}  // namespace swarmbus::core
