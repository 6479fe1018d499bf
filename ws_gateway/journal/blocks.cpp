#include "ws_gateway/journal/blocks.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace swarmbus::gateway {

// Its bytes follow it.
struct alignas(16) Blocks::Block {
    std::size_t size, used, pieces;

    char* data() noexcept { return reinterpret_cast<char*>(this + 1); }
};

Blocks::~Blocks() {
    if (current_ != nullptr) free(current_);
}

Blocks::Piece Blocks::reserve(std::size_t bytes, bool aligned) {
    const auto start = [&] { return aligned ? (current_->used + 7) / 8 * 8 : current_->used; };
    if (current_ == nullptr || current_->size < start() + bytes) {
        const std::size_t size = std::max(bytes, kBlockBytes - sizeof(Block));
        auto* const block = new (::operator new(sizeof(Block) + size)) Block{size, 0, 0};
        bytes_ += sizeof(Block) + size;
        Block* const before = current_;
        current_ = block;
        if (before != nullptr && before->pieces == 0) free(before);
    }
    const std::size_t at = start();
    current_->used = at + bytes;
    ++current_->pieces;
    return {current_->data() + at, bytes, current_};
}

Blocks::Piece Blocks::put(std::string_view bytes) {
    const Piece piece = reserve(bytes.size(), false);
    std::memcpy(piece.data, bytes.data(), bytes.size());
    return piece;
}

void Blocks::take_away(const Piece& piece) noexcept {
    if (--piece.block->pieces > 0) return;
    if (piece.block != current_) {
        free(piece.block);
    } else {
        current_->used = 0;  // empty: from the start again
    }
}

void Blocks::free(Block* block) noexcept {
    bytes_ -= sizeof(Block) + block->size;
    block->~Block();
    ::operator delete(block);
}

}  // namespace swarmbus::gateway
