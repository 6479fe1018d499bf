// Memory for byte strings that live about as long as those around them: they are put one behind the other into blocks,
// and a block is freed when all its strings are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace swarmbus::gateway {

class Blocks {
    struct Block;

public:
    // A string that was put; it stays where it is until taken away.
    struct Piece {
        char* data = nullptr;
        std::size_t bytes = 0;
        Block* block = nullptr;

        std::string_view view() const noexcept { return {data, bytes}; }
    };

    Blocks() = default;
    // Every piece was taken away.
    ~Blocks();
    Blocks(const Blocks&) = delete;
    Blocks& operator=(const Blocks&) = delete;

    // Room for a string, 8-byte aligned if asked for. Otherwise strings that are put one after the other lie so in memory, too, if
    // they fit into a block.
    Piece reserve(std::size_t bytes, bool aligned);
    Piece put(std::string_view bytes);
    void take_away(const Piece& piece) noexcept;
    // Of all blocks, their unused ends included.
    std::size_t bytes() const noexcept { return bytes_; }

private:
    static constexpr std::size_t kBlockBytes = std::size_t{256} << 10;

    void free(Block* block) noexcept;

    Block* current_ = nullptr;
    std::size_t bytes_ = 0;
};

}  // namespace swarmbus::gateway
