// The bytes of a FlatBuffer by position, as its format says: little-endian numbers; offsets that count from where they
// stand; tables that find their fields by a vtable before or behind them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace swarmbus::core {

class FlatBytes {
public:
    explicit FlatBytes(std::span<const std::byte> bytes) noexcept : data_(bytes.data()), size_(bytes.size()) {}

    std::size_t size() const noexcept { return size_; }
    bool holds(std::size_t at, std::size_t bytes) const noexcept { return bytes <= size_ && at <= size_ - bytes; }

    // From here on, only where find_payload_fault() found nothing wrong.
    template <typename T>
    T read(std::size_t at) const noexcept {
        static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>);
        T value;
        std::memcpy(&value, data_ + at, sizeof value);
        return value;
    }
    std::size_t root() const noexcept { return target(0); }
    // Where the offset that stands there leads.
    std::size_t target(std::size_t at) const noexcept { return at + read<std::uint32_t>(at); }
    // Where the field stands; 0 if the table has it not.
    std::size_t field(std::size_t table, std::uint16_t vtable_offset) const noexcept {
        const std::size_t vtable = table - static_cast<std::size_t>(static_cast<std::ptrdiff_t>(read<std::int32_t>(table)));
        if (vtable_offset >= read<std::uint16_t>(vtable)) return 0;
        const std::uint16_t offset = read<std::uint16_t>(vtable + vtable_offset);
        return offset == 0 ? 0 : table + offset;
    }
    // Elements of a vector, bytes of a string.
    std::uint32_t count(std::size_t vector) const noexcept { return read<std::uint32_t>(vector); }
    std::string_view text(std::size_t string) const noexcept { return {reinterpret_cast<const char*>(data_ + string + 4), count(string)}; }
    std::span<const std::byte> bytes(std::size_t at, std::size_t bytes) const noexcept { return {data_ + at, bytes}; }

private:
    const std::byte* data_;
    std::size_t size_;
};

}  // namespace swarmbus::core
