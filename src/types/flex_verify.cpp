#include "src/types/flex_verify.hpp"

#include <flatbuffers/flexbuffers.h>

#include <cstdint>

#include "src/types/flat_bytes.hpp"

namespace swarmbus::core {

namespace {

class Verifier {
public:
    Verifier(std::span<const std::byte> bytes, int max_depth) : bytes_(bytes), max_depth_(max_depth), values_left_(bytes.size()) {}

    // It stands at the end, then its type, then its width.
    bool root() {
        const std::size_t size = bytes_.size();
        if (size < 3) return false;
        const std::size_t width = bytes_.read<std::uint8_t>(size - 1);
        return is_width(width) && width <= size - 2 && value(size - 2 - width, width, bytes_.read<std::uint8_t>(size - 2), 0);
    }

private:
    static bool is_width(std::uint64_t width) { return width == 1 || width == 2 || width == 4 || width == 8; }

    std::uint64_t number(std::size_t at, std::size_t width) const {
        switch (width) {
        case 1: return bytes_.read<std::uint8_t>(at);
        case 2: return bytes_.read<std::uint16_t>(at);
        case 4: return bytes_.read<std::uint32_t>(at);
        default: return bytes_.read<std::uint64_t>(at);
        }
    }

    // Moves back to where the offset leads.
    bool follow(std::size_t& at, std::size_t width) const {
        const std::uint64_t offset = number(at, width);
        if (offset > at) return false;
        at -= static_cast<std::size_t>(offset);
        return true;
    }

    // Elements of one width, behind their count.
    bool elements(std::size_t at, std::size_t count_width, std::size_t width, std::size_t& count) const {
        if (at < count_width) return false;
        const std::uint64_t there = number(at - count_width, count_width);
        if (there > bytes_.size() / width || !bytes_.holds(at, static_cast<std::size_t>(there) * width)) return false;
        count = static_cast<std::size_t>(there);
        return true;
    }

    // The bytes where the value or its offset stands are there.
    bool value(std::size_t at, std::size_t parent_width, std::uint8_t packed_type, int depth) {
        if (values_left_-- == 0) return false;
        const auto type = static_cast<flexbuffers::Type>(packed_type >> 2);
        const std::size_t width = std::size_t{1} << (packed_type & 3);
        if (flexbuffers::IsInline(type)) return true;
        if (!follow(at, parent_width) || at % width != 0) return false;
        std::size_t count = 0;
        switch (type) {
        case flexbuffers::FBT_INDIRECT_INT:
        case flexbuffers::FBT_INDIRECT_UINT:
        case flexbuffers::FBT_INDIRECT_FLOAT: return bytes_.holds(at, width);
        case flexbuffers::FBT_KEY: return bytes_.holds(at, 1);
        case flexbuffers::FBT_STRING:
            return elements(at, width, 1, count) && bytes_.holds(at + count, 1) && bytes_.read<char>(at + count) == '\0';
        case flexbuffers::FBT_BLOB: return elements(at, width, 1, count);
        case flexbuffers::FBT_VECTOR: return vector(at, width, depth + 1);
        case flexbuffers::FBT_MAP: return vector(at, width, depth + 1) && map_keys(at, width);
        case flexbuffers::FBT_VECTOR_INT:
        case flexbuffers::FBT_VECTOR_UINT:
        case flexbuffers::FBT_VECTOR_FLOAT:
        case flexbuffers::FBT_VECTOR_BOOL: return depth < max_depth_ && elements(at, width, width, count);
        case flexbuffers::FBT_VECTOR_KEY:
        case flexbuffers::FBT_VECTOR_STRING_DEPRECATED:  // read as keys, since the width of their counts is not known
            return depth < max_depth_ && keys(at, width);
        default: {
            if (!flexbuffers::IsFixedTypedVector(type)) return false;
            std::uint8_t fixed = 0;
            flexbuffers::ToFixedTypedVectorElementType(type, &fixed);
            return depth < max_depth_ && bytes_.holds(at, width * fixed);
        }
        }
    }

    bool vector(std::size_t at, std::size_t width, int depth) {
        std::size_t count = 0;
        if (depth > max_depth_ || !elements(at, width, width, count)) return false;
        const std::size_t types = at + count * width;
        if (!bytes_.holds(types, count)) return false;
        for (std::size_t i = 0; i < count; ++i) {
            if (!value(at + i * width, width, bytes_.read<std::uint8_t>(types + i), depth)) return false;
        }
        return true;
    }

    // Before its values a map has the offset of its keys, their width, and its count.
    bool map_keys(std::size_t at, std::size_t width) {
        if (at < 3 * width) return false;
        std::size_t place = at - 3 * width;
        const std::uint64_t key_width = number(at - 2 * width, width);
        return is_width(key_width) && follow(place, width) && keys(place, static_cast<std::size_t>(key_width));
    }

    bool keys(std::size_t at, std::size_t width) {
        std::size_t count = 0;
        if (!elements(at, width, width, count)) return false;
        for (std::size_t i = 0; i < count; ++i) {
            std::size_t key = at + i * width;
            if (values_left_-- == 0 || !follow(key, width)) return false;
        }
        return true;
    }

    const FlatBytes bytes_;
    const int max_depth_;
    std::size_t values_left_;
};

}  // namespace

bool is_flexbuffer(std::span<const std::byte> bytes, int max_depth) { return Verifier(bytes, max_depth).root(); }

}  // namespace swarmbus::core
