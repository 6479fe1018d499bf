#include "src/types/verify.hpp"

#include "src/error.hpp"
#include "src/types/flat_bytes.hpp"

namespace swarmbus::core {

namespace {

class Verifier {
public:
    // Each offset takes four bytes, so that a payload without shared parts has a quarter of these to follow.
    explicit Verifier(std::span<const std::byte> payload) : bytes_(payload), steps_left_(payload.size() + 64) {}

    bool root(const SchemaObject& object) {
        if (bytes_.size() < 8) return fault("it is too short for a FlatBuffer");
        std::size_t at = 0;
        return follow(at) && table(at, object, 0);
    }
    std::string fault_found() const { return path_.empty() ? fault_ : path_ + ": " + fault_; }

private:
    bool fault(std::string what) {
        fault_ = std::move(what);
        return false;
    }
    bool within(const std::string& name) {
        path_ = name + (path_.empty() || path_.front() == '[' ? "" : ".") + path_;
        return false;
    }
    bool aligned(std::size_t at, std::size_t bytes, std::size_t alignment) {
        if (!bytes_.holds(at, bytes)) return fault("it reaches beyond the end");
        return at % alignment == 0 || fault("it is not aligned");
    }
    // Moves to where the offset leads.
    bool follow(std::size_t& at) {
        if (steps_left_-- == 0) return fault("it refers to the same parts too often");
        if (!aligned(at, 4, 4)) return false;
        const std::uint32_t offset = bytes_.read<std::uint32_t>(at);
        if (offset == 0 || !bytes_.holds(at, offset)) return fault("it refers beyond the end");
        at += offset;
        return true;
    }

    bool table(std::size_t at, const SchemaObject& object, int depth) {
        if (depth >= kMaxPayloadDepth) return fault("more than " + std::to_string(kMaxPayloadDepth) + " tables lie within each other");
        if (!aligned(at, 4, 4)) return false;
        const std::int64_t vtable = static_cast<std::int64_t>(at) - bytes_.read<std::int32_t>(at);
        if (vtable < 0 || vtable % 2 != 0 || !bytes_.holds(static_cast<std::size_t>(vtable), 4)) return fault("its vtable lies outside");
        const std::uint16_t vtable_bytes = bytes_.read<std::uint16_t>(static_cast<std::size_t>(vtable));
        if (vtable_bytes < 4 || vtable_bytes % 2 != 0 || !bytes_.holds(static_cast<std::size_t>(vtable), vtable_bytes)) {
            return fault("its vtable is damaged");
        }
        for (const SchemaField& field : object.fields) {
            const std::size_t place = bytes_.field(at, field.offset);
            if (place == 0) {
                const bool missed = field.required || (field.type.base == BaseType::Vector && field.tag != nullptr &&
                                                       bytes_.field(at, field.tag->offset) != 0);
                if (missed) return fault("it is missing"), within(field.name);
                continue;
            }
            if (!value(place, field.type, at, field, depth)) return within(field.name);
        }
        return true;
    }

    bool value(std::size_t at, const SchemaType& type, std::size_t parent, const SchemaField& field, int depth) {
        if (is_scalar(type.base) || (type.base == BaseType::Obj && type.object->is_struct)) {
            return aligned(at, inline_bytes(type), inline_alignment(type));
        }
        if (!follow(at)) return false;
        switch (type.base) {
        case BaseType::String: return string(at);
        case BaseType::Obj: return table(at, *type.object, depth + 1);
        case BaseType::Vector: return vector(at, type.element_type(), parent, field, depth);
        case BaseType::Union: {
            const std::size_t tag = bytes_.field(parent, field.tag->offset);
            return variant(at, tag == 0 ? 0 : bytes_.read<std::uint8_t>(tag), type, depth);
        }
        default: return fault("it is of no type");
        }
    }

    // What an older schema does not know is not looked at.
    bool variant(std::size_t at, std::uint8_t tag, const SchemaType& type, int depth) {
        const SchemaEnumValue* chosen = type.enumeration->find(tag);
        if (chosen == nullptr || chosen->type.base == BaseType::None) return true;
        if (chosen->type.base == BaseType::String) return string(at);
        if (chosen->type.object->is_struct) return aligned(at, chosen->type.object->bytes, chosen->type.object->alignment);
        return table(at, *chosen->type.object, depth + 1);
    }

    // Of `count` elements.
    bool elements(std::size_t at, std::size_t bytes, std::size_t alignment, std::uint32_t& count) {
        if (!aligned(at, 4, 4)) return false;
        count = bytes_.count(at);
        if (count > bytes_.size() / bytes) return fault("it is longer than the payload");
        // Where there are no elements, builders align only the count.
        return count == 0 || aligned(at + 4, count * bytes, alignment);
    }

    bool string(std::size_t at) {
        std::uint32_t length = 0;
        if (!elements(at, 1, 1, length)) return false;
        const std::size_t end = at + 4 + length;
        return (bytes_.holds(end, 1) && bytes_.read<char>(end) == '\0') || fault("its text has no end");
    }

    bool vector(std::size_t at, const SchemaType& element, std::size_t parent, const SchemaField& field, int depth) {
        std::uint32_t count = 0;
        if (!elements(at, inline_bytes(element), inline_alignment(element), count)) return false;
        if (is_scalar(element.base) || (element.base == BaseType::Obj && element.object->is_struct)) return true;
        std::size_t tags = 0;
        if (element.base == BaseType::Union) {
            tags = bytes_.field(parent, field.tag->offset);
            if (tags == 0) return count == 0 || fault("its types are missing");
            std::uint32_t tag_count = 0;
            if (!follow(tags) || !elements(tags, 1, 1, tag_count)) return false;
            if (tag_count != count)
                return fault("it has " + std::to_string(count) + " elements and " + std::to_string(tag_count) + " types");
        }
        for (std::uint32_t i = 0; i < count; ++i) {
            std::size_t place = at + 4 + 4 * std::size_t{i};
            const bool good = follow(place) &&
                              (element.base == BaseType::String  ? string(place)
                               : element.base == BaseType::Union ? variant(place, bytes_.read<std::uint8_t>(tags + 4 + i), element, depth)
                                                                 : table(place, *element.object, depth + 1));
            if (!good) return within("[" + std::to_string(i) + "]");
        }
        return true;
    }

    const FlatBytes bytes_;
    std::size_t steps_left_;
    std::string fault_, path_;
};

}  // namespace

std::optional<std::string> find_payload_fault(const Schema& schema, std::span<const std::byte> payload) {
    Verifier verifier(payload);
    if (verifier.root(schema.root())) return std::nullopt;
    return verifier.fault_found();
}

void check_payload(const Schema& schema, std::span<const std::byte> payload) {
    if (const auto fault = find_payload_fault(schema, payload)) {
        throw Error(SWB_ERR_PAYLOAD, "this is no payload of " + schema.root().name + ": " + *fault);
    }
}

}  // namespace swarmbus::core
