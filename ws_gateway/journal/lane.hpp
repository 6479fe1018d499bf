// The events of the journal in one encoding: each is encoded once, when it is first asked for.
#pragma once

#include <deque>
#include <string>

#include "ws_gateway/journal/blocks.hpp"
#include "ws_gateway/journal/record.hpp"

namespace swarmbus::gateway {

class EventEncoder {
public:
    virtual ~EventEncoder() = default;
    // Appends the event.
    virtual void encode(const Record& record, std::string& out) = 0;
};

class Lane {
public:
    explicit Lane(EventEncoder& encoder) : encoder_(encoder) {}
    ~Lane() { drop_before(begin_ + pieces_.size()); }
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;

    // The event at an offset, which `record()` gives if it has to be encoded. Events that are asked for in order lie in a row. Valid
    // until drop_before() or trim().
    template <typename MakeRecord>
    const Blocks::Piece& at(std::uint64_t offset, MakeRecord&& record) {
        Blocks::Piece& piece = place_of(offset);
        if (piece.block == nullptr) {
            scratch_.clear();
            encoder_.encode(record(), scratch_);
            piece = blocks_.put(scratch_);
        }
        return piece;
    }

    // Forgets the events in front of an offset.
    void drop_before(std::uint64_t offset) noexcept {
        while (!pieces_.empty() && begin_ < offset) drop_first();
    }
    // Forgets the first ones until the others fit; they are encoded again when they are asked for again.
    void trim(std::size_t max_bytes) noexcept {
        while (!pieces_.empty() && bytes() > max_bytes) drop_first();
    }
    std::size_t bytes() const noexcept { return blocks_.bytes() + pieces_.size() * sizeof(Blocks::Piece); }

private:
    void drop_first() noexcept {
        if (pieces_.front().block != nullptr) blocks_.take_away(pieces_.front());
        pieces_.pop_front();
        ++begin_;
    }

    Blocks::Piece& place_of(std::uint64_t offset) {
        if (pieces_.empty()) begin_ = offset;
        if (offset < begin_) {
            pieces_.insert(pieces_.begin(), begin_ - offset, Blocks::Piece{});
            begin_ = offset;
        }
        if (offset >= begin_ + pieces_.size()) pieces_.resize(offset - begin_ + 1);
        return pieces_[offset - begin_];
    }

    EventEncoder& encoder_;
    Blocks blocks_;
    std::deque<Blocks::Piece> pieces_;  // without a block: not encoded yet
    std::uint64_t begin_ = 0;           // the offset of the first
    std::string scratch_;
};

}  // namespace swarmbus::gateway
